"""Writes metric_averages.json: what metrics.json leaves out. Run with scikit-learn 1.9.1: python metric_averages.py

Several labels to a row, micro averages, F-beta, average precision of several classes, a class that no row has, and 300
rows with uneven weights and many ties.
"""

import json
import math
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn import metrics

SEED = 20
AVERAGES = ["macro", "weighted", "micro"]
F_SCORES = ["precision_score", "recall_score", "f1_score", "fbeta_score"]
REGRESSION = [
    "mean_absolute_error",
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_percentage_error",
    "median_absolute_error",
    "r2_score",
    "explained_variance_score",
]
RANKINGS = ["roc_auc_score", "average_precision_score"]


def value(name, arguments, y_true, y_pred, weights):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = float(getattr(metrics, name)(y_true, y_pred, sample_weight=weights, **arguments))
    return None if math.isnan(found) else found


def case(data, kind, y_true, proba, weights):
    """Scores of probabilities; the predicted classes are theirs."""
    decided = proba.argmax(axis=1) if kind == "classes" else (proba > 0.5).astype(int)
    n_classes = proba.shape[1] if kind == "classes" else 2
    names = [("accuracy_score", {}, decided)]
    for average in AVERAGES + (["binary"] if kind == "binary" else []):
        for name in F_SCORES:
            beta = {"beta": 0.5} if name == "fbeta_score" else {}
            names.append((name, {"average": average, "zero_division": 0} | beta, decided))
    if kind != "labels":
        names += [(name, {}, decided) for name in ("balanced_accuracy_score", "matthews_corrcoef", "cohen_kappa_score")]
        names.append(("log_loss", {"labels": list(range(n_classes))}, proba))
    for average in AVERAGES if kind != "binary" else ["macro"]:
        several = {"multi_class": "ovr"} if kind == "classes" else {}
        names.append(("roc_auc_score", {"average": average} | several, proba))
        names.append(("average_precision_score", {"average": average}, proba))
    # scikit-learn refuses to rank classes that no row has.
    missing = kind == "classes" and len(np.unique(y_true)) < n_classes
    scores = []
    for name, arguments, predicted in names:
        if missing and name in RANKINGS:
            continue
        row = {"metric": name, "arguments": arguments, "value": value(name, arguments, y_true, predicted, None)}
        row["weighted"] = value(name, arguments, y_true, predicted, weights)
        scores.append(row)
    return {
        "data": data,
        "kind": kind,
        "y_true": y_true.tolist(),
        "y_pred": proba.tolist(),
        "sample_weight": weights.tolist(),
        "scores": scores,
    }


def numbers(rng):
    y = rng.normal(1000.0, 1.0, (300, 2)).round(3)
    guess = (y + rng.normal(0.1, 0.5, (300, 2))).round(3)
    weights = rng.uniform(0.1, 3.0, 300).round(3)
    scores = []
    for name in REGRESSION:
        row = {"metric": name, "arguments": {}, "value": value(name, {}, y, guess, None)}
        row["weighted"] = value(name, {}, y, guess, weights)
        scores.append(row)
    return {
        "data": "300 rows far from 0",
        "kind": "values",
        "y_true": y.tolist(),
        "y_pred": guess.tolist(),
        "sample_weight": weights.tolist(),
        "scores": scores,
    }


def generate():
    rng = np.random.default_rng(SEED)
    cases = []
    for rows in (12, 300):
        weights = rng.uniform(0.1, 3.0, rows).round(3)
        truth = rng.integers(0, 2, (rows, 4))
        # Tenths, so that many scores tie, but none at exactly one half where only rounding would decide.
        proba = (0.3 * truth + 0.7 * rng.uniform(0, 1, (rows, 4))).round(1) * 0.98 + 0.001
        cases.append(case(f"{rows} rows of 4 labels", "labels", truth, proba, weights))
        cases.append(case(f"{rows} rows of 2 classes", "binary", truth[:, 0], proba[:, 0], weights))
        classes = np.r_[0:4, rng.integers(0, 4, rows - 4)]
        # A common denominator keeps the ties between rows.
        tenths = rng.multinomial(12, [0.25] * 4, rows) + 4 * np.eye(4, dtype=int)[classes]
        cases.append(case(f"{rows} rows of 4 classes", "classes", classes, tenths / 16, weights))
        fewer = np.where(classes == 2, 3, classes)
        away = tenths * [1, 1, 0, 1] + [1, 0, 0, 0]
        cases.append(case(f"{rows} rows of 4 classes, class 2 neither true nor predicted", "classes", fewer,
                          away / away.sum(axis=1, keepdims=True), weights))
    truth = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]])
    proba = np.array([[0.9, 0.2, 0.1], [0.4, 0.1, 0.2], [0.7, 0.3, 0.3], [0.2, 0.4, 0.4]])
    weights = np.array([1.0, 2.0, 0.5, 1.0])
    cases.append(case("a label no row has and one never predicted", "labels", truth, proba, weights))
    cases.append(numbers(rng))
    about = {
        "libraries": {library: version(library) for library in ("scikit-learn", "numpy")},
        "generator": "tests/parity/metric_averages.py",
        "dtype": ["float64"],
        "seed": SEED,
        "tolerance": "1e-12 relative: sums of 300 terms, in another order",
    }
    text = json.dumps({"about": about, "cases": cases}, separators=(",", ":"))
    text = text.replace('{"data"', '\n{"data"').replace('{"metric"', '\n {"metric"')
    Path(__file__).with_name("metric_averages.json").write_text(text + "\n")


if __name__ == "__main__":
    generate()
