"""Every optimizer on the same small network, the same batches, 500 steps: Keras, and PyTorch where it has the rule."""

import json
import subprocess
import sys

import fixture_file
import numpy as np
import reference
from keras_session import LIBRARIES, config_of, in_full_precision, keras, literals_in_full_precision, tf, use_dtype
from small_network import BATCH, SNAPSHOTS, batches, data, distance, exact_path, initial_weights, layers, title

RATE_STEPS = [0, 1, 2, 9, 49, 50, 51, 75, 99, 100, 101, 150, 249, 250, 299, 300, 301, 399, 400, 401, 449, 450, 451, 499]
KERAS = [
    ("SGD", {"learning_rate": 0.01}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.05}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("Adamax", {}),
    ("Nadam", {}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Lion", {"learning_rate": 1e-3}),
    ("Adam", {"clipnorm": 0.05}),
    ("Adam", {"clipvalue": 0.01}),
    ("Adam", {"global_clipnorm": 0.05}),
    ("Adam", {"weight_decay": 0.01}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.99}),
    ("Adam", {"gradient_accumulation_steps": 4}),
    ("Adam", {"gradient_accumulation_steps": 4, "use_ema": True, "ema_momentum": 0.99}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "clipnorm": 0.05}),
]
SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.9}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.9, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [100, 300], "values": [0.1, 0.05, 0.01]}),
    (
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 400, "end_learning_rate": 0.001, "power": 2.0},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.5}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.0,
            "decay_steps": 400,
            "alpha": 0.01,
            "warmup_target": 0.1,
            "warmup_steps": 50,
        },
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 100}),
]


def keras_run(name, arguments, dtype, scheduled=None):
    use_dtype(dtype)
    x, y = (a.astype(dtype) for a in data())
    schedule_object = scheduled and in_full_precision(getattr(keras.optimizers.schedules, scheduled[0])(**scheduled[1]))
    keyed = {**arguments, **({"learning_rate": schedule_object} if scheduled else {})}
    optimizer = in_full_precision(getattr(keras.optimizers, name)(**keyed))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3, "softmax")])
    model.set_weights(initial_weights())
    loss_of = keras.losses.CategoricalCrossentropy()

    full = {**config_of(optimizer), **arguments}
    rate = None
    if scheduled:
        rate = reference.schedule(scheduled[0], schedule_object.get_config())
    exact = exact_path(reference.Exact(name, full, rate))
    snapshots = []
    for step, xb, yb in batches(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(yb, model(xb, training=True))
        variables = model.trainable_variables
        assert all(v.dtype == dtype for v in variables)
        gradients = tape.gradient(loss, [v.value for v in variables])
        with literals_in_full_precision():
            optimizer.apply(gradients, variables)
        if step in SNAPSHOTS:
            arrays = model.get_weights()
            snapshot = {
                "step": step,
                "batch_loss": loss.numpy(),
                "loss_after": loss_of(y, model(x)).numpy(),
                "weights": layers(arrays),
                "distance_to_exact": distance(arrays, exact[step]),
            }
            if arguments.get("use_ema"):
                snapshot["average"] = layers([v.numpy() for v in optimizer._model_variables_moving_average])
            snapshots.append(snapshot)
    run = {
        "library": "keras",
        "optimizer": name,
        "title": f"{name}({title(*scheduled)})" if scheduled else title(name, arguments),
        "dtype": dtype,
        "arguments": arguments,
        "schedule": {"class_name": scheduled[0], "arguments": scheduled[1]} if scheduled else None,
        "config": config_of(optimizer),
        "snapshots": snapshots,
    }
    if scheduled:
        run["learning_rates"] = {
            "step": RATE_STEPS,
            "rate": [np.asarray(schedule_object(step)) for step in RATE_STEPS],
        }
    return run


def generate():
    x, y = data()
    runs = []
    for dtype in ("float64", "float32"):
        runs += [keras_run(name, arguments, dtype) for name, arguments in KERAS]
        runs += [keras_run("SGD", {}, dtype, scheduled) for scheduled in SCHEDULES]
    torch_runs = [sys.executable, str(fixture_file.FOLDER / "generators" / "torch_runs.py")]
    runs += json.loads(subprocess.run(torch_runs, check=True, capture_output=True, text=True).stdout)
    header = fixture_file.about(
        "optimizers",
        (*LIBRARIES, "torch"),
        ["float64", "float32"],
        None,
        "Per snapshot: a few times distance_to_exact, the largest distance of any weight from the same run in 80-bit "
        "floats; it is rounding, grown by the training itself. Where it is near zero use 1e-15 (float64) or 1e-7.",
        [
            "network: x → 5 tanh → 3 softmax; loss: categorical cross-entropy against one-hot y, mean over the batch",
            "batch b of step s (from 1) is rows 8·((s−1) mod 3) and the 7 after it, in stored order",
            "batch_loss: on the step's own batch before the update; loss_after: on all 24 rows after it",
            "x, y and the initial weights are exact in float32",
            "average: the moving average of the weights, which Keras keeps beside them (use_ema)",
            "learning_rates: the schedule's value when `step` updates have been made, so 0 is the first update's",
            "float64 runs have every hyper-parameter in float64, which neither library does by itself; see README.md",
            "torch runs: foreach=False; kernels are stored (fan_in, fan_out) here, as for Keras",
        ],
    )
    fixture_file.write(
        "optimizers",
        {
            "about": header,
            "x": x,
            "y": y,
            "batch_size": BATCH,
            "initial_weights": layers(initial_weights()),
            "runs": runs,
        },
    )
