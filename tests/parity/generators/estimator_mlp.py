"""Fitted scikit-learn networks: their weights and what they predict, for an import test."""

import warnings

import fixture_file
import numpy as np
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

SEED = 2
EPOCHS = 150
ACTIVATIONS = ("relu", "tanh", "logistic", "identity")


def fit(kind, x, y, activation, **more):
    arguments = {
        "hidden_layer_sizes": (5, 4),
        "activation": activation,
        "solver": "adam",
        "learning_rate_init": 0.01,
        "max_iter": EPOCHS,
        "random_state": SEED,
        **more,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = kind(**arguments).fit(x, y)
    assert all(w.dtype == np.float64 for w in model.coefs_)
    case = {
        "estimator": kind.__name__,
        "arguments": arguments,
        "out_activation": model.out_activation_,
        "n_iter": model.n_iter_,
        "t": model.t_,
        "loss": model.loss_,
        "coefs": model.coefs_,
        "intercepts": model.intercepts_,
        "y": y,
        "predict": model.predict(x),
    }
    if kind is MLPClassifier:
        case["classes"] = model.classes_
        case["predict_proba"] = model.predict_proba(x)
    case["score"] = model.score(x, y)
    return case


def generate():
    iris = load_iris()
    rows = slice(None, None, 5)
    x, species = iris.data[rows], iris.target[rows]
    width = x[:, 3] + 0.25 * x[:, 0]
    several = np.column_stack([width, x[:, 2] - x[:, 1]])
    labels = np.column_stack([species == 0, x[:, 0] > 5.8, x[:, 1] > 3.0]).astype(int)
    cases = []
    for activation in ACTIVATIONS:
        cases.append({"target": "three classes", **fit(MLPClassifier, x, species, activation)})
        cases.append({"target": "one output", **fit(MLPRegressor, x, width, activation)})
    cases.append({"target": "two classes", **fit(MLPClassifier, x, (species > 0).astype(int), "relu")})
    cases.append({"target": "three labels", **fit(MLPClassifier, x, labels, "tanh")})
    cases.append({"target": "two outputs", **fit(MLPRegressor, x, several, "tanh", alpha=0.01)})
    header = fixture_file.about(
        "estimator_mlp",
        ("scikit-learn", "numpy", "scipy"),
        ["float64"],
        SEED,
        "1e-14 · max(|value|, 1): three small matrix products and an exponential, given the same weights. predict of a "
        "classifier: equal.",
        [
            "x is every fifth row of the iris data, 10 per species",
            "coefs: (fan_in, fan_out) per layer; intercepts: (fan_out,)",
            "out_activation: softmax for three classes, logistic for two classes (one output) and for labels",
            "predict_proba of two classes has the columns 1 − p and p; rows of three labels need not sum to 1",
            "loss: of the last epoch, with the penalty alpha/(2·rows in the batch)·Σ coefs² in it; regression is "
            "half the squared error",
        ],
    )
    fixture_file.write("estimator_mlp", {"about": header, "x": x, "models": cases})
