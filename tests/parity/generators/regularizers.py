"""Penalties and their gradients for a 3×2 kernel."""

import fixture_file
from keras_session import LIBRARIES, keras, literals_in_full_precision, tf, use_dtype

KERNEL = [[0.5, -1.25], [0.0, 2.0], [-0.1, 0.03]]
CASES = [
    ("L1", {"l1": 0.01}),
    ("L1", {"l1": 0.5}),
    ("L2", {"l2": 0.01}),
    ("L2", {"l2": 0.5}),
    ("L1L2", {"l1": 0.01, "l2": 0.02}),
    ("L1L2", {"l1": 0.0, "l2": 0.1}),
]


def evaluate(name, arguments, dtype):
    use_dtype(dtype)
    kernel = tf.constant(KERNEL, dtype)
    with literals_in_full_precision(), tf.GradientTape() as tape:
        tape.watch(kernel)
        penalty = getattr(keras.regularizers, name)(**arguments)(kernel)
    return {"penalty": penalty.numpy(), "gradient": tape.gradient(penalty, kernel).numpy()}


def generate():
    rows = [
        {
            "regularizer": name,
            "arguments": arguments,
            "float64": evaluate(name, arguments, "float64"),
            "float32": evaluate(name, arguments, "float32"),
        }
        for name, arguments in CASES
    ]
    header = fixture_file.about(
        "regularizers",
        LIBRARIES,
        ["float64", "float32"],
        None,
        "float64: 1e-15; float32: 5e-7. A handful of multiplications and one sum.",
        [
            "L1: l1·Σ|w|, gradient 0 at w = 0; L2: l2·Σ w² without a half, gradient 2·l2·w; L1L2: the sum of both",
            "Keras' defaults are l1 = l2 = 0.01 for L1 and L2, and 0 and 0 for L1L2",
        ],
    )
    fixture_file.write("regularizers", {"about": header, "kernel": KERNEL, "regularizers": rows})
