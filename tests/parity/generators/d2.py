"""The small golden trajectories of Keras' own optimizer tests, to full precision.

Keras' tests give four decimals and compare to 5e-4; here are the numbers Keras computes.
"""

import fixture_file
import numpy as np
from keras_session import LIBRARIES, config_of, in_full_precision, keras, literals_in_full_precision, use_dtype

SINGLE_STEP = ["SGD", "Adam", "RMSprop", "Nadam", "Adagrad", "Adadelta", "Adamax", "AdamW", "Lion"]
TRAJECTORIES = {
    "SGD": {"nesterov": True},
    "Adam": {"amsgrad": True},
    "RMSprop": {"centered": True},
    "Nadam": {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.67, "epsilon": 1e-5},
    "Adagrad": {"learning_rate": 0.2, "initial_accumulator_value": 0.3, "epsilon": 1e-6},
    "Adadelta": {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-6},
    "Adamax": {"learning_rate": 0.2, "beta_1": 0.85, "beta_2": 0.95, "epsilon": 1e-6},
    "AdamW": {"learning_rate": 1.0, "weight_decay": 0.5, "epsilon": 2.0},
    "Lion": {},
}


def run(name, arguments, start, gradients):
    optimizer = in_full_precision(getattr(keras.optimizers, name)(**arguments))
    variable = keras.Variable(start)
    path = []
    for gradient in gradients:
        with literals_in_full_precision():
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        path.append(variable.numpy())
    return config_of(optimizer), path


def case(kind, name, arguments, dtype, start, gradients):
    start, gradients = np.asarray(start, dtype), np.asarray(gradients, dtype)
    config, path = run(name, arguments, start, gradients)
    return {
        "case": kind,
        "optimizer": name,
        "arguments": arguments,
        "dtype": dtype,
        "config": config,
        "start": start,
        "gradients": gradients,
        "after_each_step": path,
    }


def generate():
    cases = []
    # Keras' golden test takes one step with a gradient of 0.01 everywhere and then four with 0.1, 0.2 … 1.0.
    rising = [step / 10 for step in range(1, 11)]
    gradients = [[0.01] * 10] + [rising] * 4
    for dtype in ("float64", "float32"):
        use_dtype(dtype)
        for name in SINGLE_STEP:
            cases.append(case("single_step", name, {"learning_rate": 0.5}, dtype, [1, 2, 3, 4], [[1, 6, 7, 2]]))
        for name, arguments in TRAJECTORIES.items():
            cases.append(case("golden", name, arguments, dtype, [1] * 10, gradients))
    header = fixture_file.about(
        "d2",
        LIBRARIES,
        ["float64", "float32"],
        None,
        "float64: 1e-14 · max(|w|, 1), the rounding of five steps. float32: 1e-5 · max(|w|, 1): Keras takes 1 − β₂ᵗ in "
        "float32, which at t = 1 makes Adam's step 6e-6 of itself shorter than β₂ = 0.999 does.",
        [
            "golden: the first gradient is 0.01 everywhere, the other four are 0.1, 0.2 … 1.0.",
            "config is get_config; in float32 its learning_rate is the float32 value widened to a double.",
        ],
    )
    fixture_file.write("d2", {"about": header, "cases": cases})
