"""Keras' side of `examples/first_networks.rs`: the same networks, epochs and batches, on the same MNIST rows.

    python -m pip install -r examples/practical/keras/requirements.txt
    LINFA_MLP_DATA=FOLDER python examples/practical/keras/first_networks.py --epochs 10 --seeds 5

Networks of 0 to 3 hidden layers of 128 units with ReLU, softmax, categorical cross-entropy, RMSprop as Keras has it, batches of 200.
`--hidden 3` runs that one alone. Prints the mean and the standard deviation (n - 1) over the seeds from 0. FOLDER holds MNIST's four IDX files, as for the examples.
"""

import argparse
import gzip
import os
import pathlib
import statistics

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

HIDDEN_UNITS, BATCH_SIZE = 128, 200


def idx(name):
    folder = pathlib.Path(os.environ["LINFA_MLP_DATA"])
    places = [at / file for at in (folder / "mnist", folder) for file in (name + ".gz", name)]
    path = next(path for path in places if path.exists())
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", dimensions, 4).astype(int)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def part(name):
    pixels = idx(name + "-images-idx3-ubyte").reshape(-1, 784).astype("float32") / 255
    return pixels, keras.utils.to_categorical(idx(name + "-labels-idx1-ubyte"), 10)


def accuracies(hidden, seed, epochs, train, test):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(HIDDEN_UNITS, activation="relu") for _ in range(hidden)]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10, activation="softmax")])
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    tested = model.evaluate(*test, batch_size=1000, verbose=0, return_dict=True)
    return model.count_params(), history.history["accuracy"][-1], tested["accuracy"]


def spread(values):
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--hidden", type=int, nargs="+", default=range(4), help="so many hidden layers")
    options = parser.parse_args()
    train, test = part("train"), part("t10k")
    print(f"Keras {keras.__version__} on {keras.backend.backend()}: {options.epochs} epochs, {options.seeds} seeds")
    print("hidden layers   parameters   accuracy: training              test")
    for hidden in options.hidden:
        runs = [accuracies(hidden, seed, options.epochs, train, test) for seed in range(options.seeds)]
        params, training, tested = zip(*runs)
        print(f"{hidden:>13}   {params[0]:>10}   {spread(training):>18}   {spread(tested):>15}", flush=True)
