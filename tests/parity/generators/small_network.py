"""The network, the data and the batches that every run of `optimizers.json` shares."""

import numpy as np
import reference

STEPS = 500
SNAPSHOTS = (1, 10, 500)
BATCH = 8


def data():
    """24 rows, 3 classes that no such network separates; every number is a short binary fraction, exact in float32."""
    i, j = np.arange(24)[:, None], np.arange(4)[None, :]
    x = ((37 * i + 23 * j + 11 * i * j * j) % 64 - 32) / 32
    y = np.eye(3)[(np.arange(24) * 7 + np.arange(24) // 5) % 3]
    return x, y


def initial_weights():
    """Kernel, bias, kernel, bias: multiples of 1/64, none of them zero or equal to its neighbour."""

    def fill(rows, columns, step):
        return ((step * np.arange(rows * columns) + 5) % 61 - 30).reshape(rows, columns) / 64

    return [fill(4, 5, 17), fill(1, 5, 7)[0] / 4, fill(5, 3, 23), fill(1, 3, 19)[0] / 4]


def title(name, arguments):
    return f"{name}({', '.join(f'{key}={value}' for key, value in arguments.items())})"


def layers(arrays):
    arrays = [np.array(a) for a in arrays]
    return [{"kernel": arrays[0], "bias": arrays[1]}, {"kernel": arrays[2], "bias": arrays[3]}]


def batches(x, y):
    for step in range(1, STEPS + 1):
        first = (step - 1) * BATCH % len(x)
        yield step, x[first : first + BATCH], y[first : first + BATCH]


def exact_path(rule):
    """Weights at the snapshots, computed in 80-bit floats."""
    x, y = (a.astype(np.longdouble) for a in data())
    weights = [w.astype(np.longdouble) for w in initial_weights()]
    path = {}
    for step, xb, yb in batches(x, y):
        rule.apply(reference.loss_and_gradients(weights, xb, yb)[1], weights)
        if step in SNAPSHOTS:
            path[step] = [w.copy() for w in weights]
    return path


def distance(arrays, exact):
    return float(max(np.abs(np.asarray(a, np.longdouble) - e).max() for a, e in zip(arrays, exact)))
