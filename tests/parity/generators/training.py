"""One run of `model.fit` with penalties, a short last batch and a validation split: history and final weights."""

import fixture_file
import numpy as np
from keras_session import LIBRARIES, config_of, in_full_precision, keras, literals_in_full_precision, use_dtype

ROWS, BATCH, EPOCHS, SPLIT = 33, 7, 20, 0.3


def data():
    i = np.arange(ROWS)
    x = np.column_stack([(37 * i) % 64 - 32, (23 * i + 5) % 64 - 32, (11 * i * i + 3 * i) % 64 - 32]) / 32
    noise = ((29 * i + 7) % 32 - 16) / 128
    return x, x[:, :1] - 0.5 * x[:, 1:2] * x[:, 2:] + 0.25 + noise[:, None]


def initial_weights():
    def fill(rows, columns, step):
        return ((step * np.arange(rows * columns) + 5) % 61 - 30).reshape(rows, columns) / 64

    return [fill(3, 8, 17), fill(1, 8, 7)[0] / 4, fill(8, 1, 23), fill(1, 1, 19)[0] / 4]


def layers(arrays):
    return [{"kernel": arrays[0], "bias": arrays[1]}, {"kernel": arrays[2], "bias": arrays[3]}]


def run(dtype):
    use_dtype(dtype)
    x, y = (a.astype(dtype) for a in data())
    with literals_in_full_precision():
        hidden = keras.layers.Dense(8, "relu", kernel_regularizer=keras.regularizers.L2(0.01))
        output = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L1(0.001))
        model = keras.Sequential([keras.Input((3,)), hidden, output])
        model.set_weights(initial_weights())
        optimizer = in_full_precision(keras.optimizers.Adam())
        model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=True, jit_compile=False)
        fit = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, validation_split=SPLIT, shuffle=False, verbose=0)
        evaluate = model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
        predict = model.predict(x, batch_size=BATCH, verbose=0)
    return {
        "dtype": dtype,
        "config": config_of(optimizer),
        "steps": int(optimizer.iterations.numpy()),
        "history": fit.history,
        "evaluate": evaluate,
        "predict": predict[:, 0],
        "weights": layers(model.get_weights()),
    }


def generate():
    x, y = data()
    header = fixture_file.about(
        "training",
        LIBRARIES,
        ["float64", "float32"],
        None,
        "float64: 1e-14, the rounding of 80 steps; float32: 5e-6, the same there.",
        [
            "network: x → 8 relu → 1 linear; loss: mse + 0.01·Σ k₁² + 0.001·Σ |k₂|; optimizer: Adam, Keras' defaults",
            "33 rows, validation_split 0.3: ⌊33·(1 − 0.3)⌋ = 23 rows to train, the last 10 to validate, no shuffling",
            "batches of 7, 7, 7, 2 and, in validation, of 7 and 3",
            "loss of an epoch: Σ rows·(mse + penalties) / Σ rows over its batches, each taken before its own update",
            "val_loss: the same over the validation batches after the epoch; the penalties are in it",
            "evaluate: on all 33 rows with the final weights",
        ],
    )
    document = {
        "about": header,
        "x": x,
        "y": y,
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "validation_split": SPLIT,
        "initial_weights": layers(initial_weights()),
        "runs": [run("float64"), run("float32")],
    }
    fixture_file.write("training", document)
