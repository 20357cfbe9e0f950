"""Normalisation layers, frozen layers and constraints: 50 steps of a small network, then predictions."""

import fixture_file
import numpy as np
from keras_session import LIBRARIES, config_of, in_full_precision, keras, literals_in_full_precision, use_dtype

ROWS, BATCH, EPOCHS = 24, 5, 10


def data():
    i = np.arange(ROWS)
    x = np.column_stack([(37 * i) % 64 - 32, (23 * i + 5) % 64 - 32, (11 * i * i + 3 * i) % 64 - 32]) / 32
    return x, x[:, :1] - 0.5 * x[:, 1:2] * x[:, 2:] + 0.25


def dense(units, activation=None, **arguments):
    return keras.layers.Dense(units, activation, **arguments)


def constraint(name, **arguments):
    return in_full_precision(getattr(keras.constraints, name)(**arguments))


def networks():
    norm = keras.layers.LayerNormalization
    batch = keras.layers.BatchNormalization
    # No bias before a batch's mean: its gradient is 0, and Adam would turn the rounding of that 0 into steps.
    l2 = keras.regularizers.L2
    return {
        "layer_norm": [dense(5, "tanh"), norm(), dense(1)],
        "layer_norm_plain": [norm(epsilon=0.01, center=False, scale=False), dense(4, "tanh"), dense(1)],
        "batch_norm": [dense(5, use_bias=False), batch(momentum=0.9), dense(4, "tanh"), batch(scale=False, epsilon=0.01), dense(1)],
        "norm_regularizers": [batch(gamma_regularizer=l2(0.01), center=False), dense(5, "tanh"),
                              norm(beta_regularizer=l2(0.02)), dense(1)],
        "frozen": [dense(5, "tanh", trainable=False, kernel_regularizer=l2(0.01)), batch(trainable=False), dense(1)],
        "max_norm": [dense(5, "tanh", kernel_constraint=constraint("MaxNorm", max_value=0.7)), dense(1)],
        "non_neg": [dense(5, "tanh", kernel_constraint=constraint("NonNeg")), dense(1)],
        "unit_norm": [dense(5, "tanh", kernel_constraint=constraint("UnitNorm"),
                            bias_constraint=constraint("MaxNorm", max_value=0.1)), dense(1)],
        "min_max_norm": [dense(5, "tanh", kernel_constraint=constraint("MinMaxNorm", min_value=0.6, max_value=0.9, rate=0.5)),
                         dense(1)],
    }


def initial(shapes):
    step = [17, 7, 23, 19, 29, 11, 13, 31, 37, 41]
    values = []
    for s, shape in zip(step * 2, shapes):
        size = int(np.prod(shape))
        values.append((((s * np.arange(size) + 5) % 61 - 30) / 64).reshape(shape))
    return values


def run(name, make_optimizer):
    # Before an optimizer is made: its learning rate takes the dtype of that moment.
    use_dtype("float64")
    x, y = data()
    with literals_in_full_precision():
        stack = [in_full_precision(layer) for layer in networks()[name]]
        model = keras.Sequential([keras.Input((3,)), *stack])
        start = initial([w.shape for w in model.get_weights()])
        for i, variable in enumerate(model.weights):
            if variable.name in ("gamma", "moving_variance"):
                start[i] = start[i] + 1
        model.set_weights(start)
        optimizer = in_full_precision(make_optimizer())
        model.compile(optimizer, "mse", run_eagerly=True, jit_compile=False)
        fit = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
        evaluate = model.evaluate(x, y, batch_size=ROWS, verbose=0)
        predict = model.predict(x, batch_size=ROWS, verbose=0)
    return {
        "network": name,
        "config": config_of(optimizer),
        "optimizer": type(optimizer).__name__,
        "initial_weights": [w.ravel() for w in start],
        "names": [variable.name for variable in model.weights],
        "steps": int(optimizer.iterations.numpy()),
        "trainable": int(sum(np.prod(w.shape) for w in model.trainable_weights)),
        "non_trainable": int(sum(np.prod(w.shape) for w in model.non_trainable_weights)),
        "loss": fit.history["loss"],
        "evaluate": evaluate,
        "predict": predict[:, 0],
        "weights": [w.ravel() for w in model.get_weights()],
    }


def generate():
    x, y = data()
    header = fixture_file.about(
        "layers",
        LIBRARIES,
        ["float64"],
        None,
        "float64: 1e-13, the rounding of 50 steps.",
        [
            "the stack of each network is in generators/layers.py; loss: mse plus penalties; no shuffling",
            "24 rows in batches of 5, 5, 5, 5, 4; ten epochs: 50 steps",
            "initial_weights and weights: in the order of model.get_weights(), row-major",
            "evaluate: loss on all rows after training, with moving averages",
        ],
    )
    optimizers = [lambda: keras.optimizers.SGD(0.05), lambda: keras.optimizers.Adam(0.01)]
    document = {
        "about": header,
        "x": x,
        "y": y,
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "runs": [run(name, optimizer) for name in networks() for optimizer in optimizers],
    }
    fixture_file.write("layers", document)
