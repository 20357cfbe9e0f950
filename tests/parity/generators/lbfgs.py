"""Minima of strictly convex losses, as SciPy's L-BFGS-B finds them: linear models with an L2 penalty on every weight."""

import fixture_file
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes, load_iris


def softmax_loss(packed, x, labels, alpha):
    n, width, classes = len(x), x.shape[1], labels.max() + 1
    kernel, bias = packed[: width * classes].reshape(width, classes), packed[width * classes :]
    z = x @ kernel + bias
    z = z - z.max(axis=1, keepdims=True)
    log_proba = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    delta = (np.exp(log_proba) - np.eye(classes)[labels]) / n
    loss = -log_proba[np.arange(n), labels].mean() + alpha * (packed**2).sum()
    return loss, np.concatenate([(x.T @ delta).ravel(), delta.sum(axis=0)]) + 2 * alpha * packed


def squared_loss(packed, x, y, alpha):
    residual = x @ packed[:-1] + packed[-1] - y
    gradient = 2 * np.append(x.T @ residual, residual.sum()) / len(x)
    return (residual**2).mean() + alpha * (packed**2).sum(), gradient + 2 * alpha * packed


def case(name, function, x, y, alpha, size):
    options = {"maxcor": 10, "ftol": 0.0, "gtol": 1e-10, "maxiter": 1000, "maxfun": 15000}
    found = minimize(function, np.zeros(size), (x, y, alpha), "L-BFGS-B", jac=True, options=options)
    assert np.abs(found.jac).max() < 1e-8, found
    return {
        "case": name,
        "alpha": alpha,
        "x": x,
        "y": y,
        "iterations": found.nit,
        "evaluations": found.nfev,
        "loss": found.fun,
        "weights": found.x,
    }


def generate():
    iris = load_iris()
    flowers = iris.data[::3] - iris.data[::3].mean(axis=0)
    diabetes = load_diabetes()
    patients, progress = diabetes.data[::10] * 20, diabetes.target[::10] / 100
    cases = [
        case("softmax", softmax_loss, flowers, iris.target[::3], 1e-2, 4 * 3 + 3),
        case("squared", squared_loss, patients, progress, 1e-2, 10 + 1),
    ]
    header = fixture_file.about(
        "lbfgs",
        ("scipy", "scikit-learn", "numpy"),
        ["float64"],
        None,
        "loss: 1e-12; weights: 1e-6. The minimum is one point, and both searches stop where no element of the gradient is "
        "above 1e-8: the smallest curvature, 2·alpha, turns that into a distance.",
        [
            "weights: the kernel (fan_in, fan_out) row by row, then the bias; the penalty alpha·Σ w² is on all of them",
            "softmax: mean cross-entropy, y class numbers; squared: mean squared error",
            "iterations and evaluations are SciPy's from weights of 0, to compare the order of magnitude",
        ],
    )
    fixture_file.write("lbfgs", {"about": header, "cases": cases})
