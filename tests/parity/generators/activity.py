"""Penalties on activations: fits of small networks with a short last batch and validation rows."""

import fixture_file
import numpy as np
from keras_session import LIBRARIES, config_of, in_full_precision, keras, literals_in_full_precision, use_dtype
from layers import initial

ROWS, BATCH, EPOCHS, SPLIT = 24, 5, 6, 0.25


def dense(units, activation=None, **arguments):
    return keras.layers.Dense(units, activation, **arguments)


def networks():
    l1, l2, both = keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2
    return {
        "l2": ([dense(5, "tanh", activity_regularizer=l2(0.05)), dense(1)], "mse"),
        "l1_and_l2": (
            [
                dense(4, "tanh", activity_regularizer=both(0.02, 0.03), kernel_regularizer=l2(0.01)),
                dense(3, "sigmoid", activity_regularizer=l1(0.1)),
                dense(1),
            ],
            "mse",
        ),
        "output": ([dense(5, "tanh"), dense(1, activity_regularizer=l2(0.1))], "mse"),
        "softmax_output": ([dense(5, "tanh"), dense(2, "softmax", activity_regularizer=l2(0.2))], "categorical_crossentropy"),
    }


def data(loss):
    i = np.arange(ROWS)
    x = np.column_stack([(37 * i) % 64 - 32, (23 * i + 5) % 64 - 32, (11 * i * i + 3 * i) % 64 - 32]) / 32
    y = x[:, :1] - 0.5 * x[:, 1:2] * x[:, 2:] + 0.25
    return x, y if loss == "mse" else np.column_stack([y[:, 0] > 0, y[:, 0] <= 0]).astype(float)


def run(name):
    use_dtype("float64")
    with literals_in_full_precision():
        stack, loss = networks()[name]
        x, y = data(loss)
        model = keras.Sequential([keras.Input((3,)), *stack])
        start = initial([w.shape for w in model.get_weights()])
        model.set_weights(start)
        optimizer = in_full_precision(keras.optimizers.SGD(0.1))
        model.compile(optimizer, loss, run_eagerly=True, jit_compile=False)
        fit = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, validation_split=SPLIT, shuffle=False, verbose=0)
        evaluate = model.evaluate(x, y, batch_size=BATCH, verbose=0)
    return {
        "network": name,
        "x": x,
        "y": y,
        "config": config_of(optimizer),
        "initial_weights": [w.ravel() for w in start],
        "loss": fit.history["loss"],
        "val_loss": fit.history["val_loss"],
        "evaluate": evaluate,
        "weights": [w.ravel() for w in model.get_weights()],
    }


def generate():
    header = fixture_file.about(
        "activity",
        LIBRARIES,
        ["float64"],
        None,
        "1e-12, relative above 1: the rounding of 24 steps.",
        [
            "SGD(0.1); the last 6 of 24 rows are validation rows, batches of 5 rows and one of 3",
            "the penalty of a batch is divided by its number of rows",
            "weights are flat, in the order of model.get_weights()",
        ],
    )
    runs = [run(name) for name in networks()]
    document = {"about": header, "batch_size": BATCH, "epochs": EPOCHS, "validation_split": SPLIT, "runs": runs}
    fixture_file.write("activity", document)
