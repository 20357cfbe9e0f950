"""Scores from scikit-learn, with and without sample weights, on plain data and on the corners."""

import math
import warnings

import fixture_file
import numpy as np
from sklearn import metrics

SEED = 7
ROWS = 16


def weights_for(rows):
    """Positive, not equal, some of them zero."""
    return [[1.0, 2.0, 0.5, 0.0, 3.0, 1.5][i % 6] for i in range(rows)]


def labelled():
    """Name, y_true, y_pred of classes."""
    three = [0, 1, 2, 0, 1, 2, 2, 2, 1, 0, 0, 1, 2, 2, 0, 2]
    guess = [0, 2, 2, 0, 1, 1, 2, 0, 1, 1, 0, 1, 2, 2, 2, 2]
    two = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1]
    half = [0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0]
    yield "two classes", two, half
    yield "two classes, all correct", two, two
    yield "two classes, all wrong", two, [1 - label for label in two]
    yield "two classes, only the negative one predicted", two, [0] * ROWS
    yield "two classes, only the positive one predicted", two, [1] * ROWS
    yield "only the negative class, all correct", [0] * ROWS, [0] * ROWS
    yield "only the negative class, some wrong", [0] * ROWS, half
    yield "three classes", three, guess
    yield "three classes, all correct", three, three
    yield "three classes, class 1 never predicted", three, [0 if label == 1 else label for label in guess]
    yield "three classes, class 1 only predicted", [0 if label == 1 else label for label in three], guess
    yield "three classes, one predicted", three, [2] * ROWS


def class_scores(binary):
    yield "accuracy_score", {}
    yield "balanced_accuracy_score", {}
    for name in ("precision_score", "recall_score", "f1_score"):
        for average in (["binary"] if binary else []) + ["macro", "weighted"]:
            yield name, {"average": average, "zero_division": 0}
    yield "matthews_corrcoef", {}
    yield "cohen_kappa_score", {}


def ranked():
    """Name, y_true, probability of the positive class."""
    y = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1]
    spread = [0.1, 0.8, 0.35, 0.4, 0.95, 0.2, 0.55, 0.6, 0.45, 0.05, 0.7, 0.3, 0.9, 0.15, 0.25, 0.5]
    ties = [0.1, 0.8, 0.4, 0.4, 0.8, 0.2, 0.4, 0.6, 0.4, 0.1, 0.8, 0.2, 0.8, 0.2, 0.4, 0.4]
    yield "distinct", y, spread
    yield "ties", y, ties
    yield "all equal", y, [0.5] * ROWS
    yield "perfect", y, [0.25 + 0.5 * label for label in y]
    yield "reversed", y, [0.75 - 0.5 * label for label in y]
    yield "zeros and ones, some wrong", y, [float(p > 0.42) for p in spread]
    yield "negatives only", [0] * ROWS, spread


def multiclass():
    """Name, y_true, probabilities of three classes."""
    y = [0, 1, 2, 0, 1, 2, 2, 2, 1, 0, 0, 1, 2, 2, 0, 2]
    # Sixteenths, so that rows sum to exactly 1; many rows and columns hold ties.
    draws = np.random.default_rng(SEED).multinomial(16, [1 / 3] * 3, ROWS)
    proba = (draws + 4 * np.eye(3, dtype=int)[y]) / 20
    proba = np.round(proba * 20) / 20
    yield "three classes", y, proba
    yield "ties", y, np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.375, 0.375, 0.25]] * 4)
    yield "perfect", y, np.eye(3)[y]
    yield "zeros and ones, some wrong", y, np.eye(3)[proba.argmax(axis=1)]
    yield "all equal", y, np.full((ROWS, 3), [0.25, 0.25, 0.5])


def regression():
    y = [2.0, -1.5, 0.75, 3.25, 7.0, -4.0, 1.0, 0.5, 2.5, -0.25]
    guess = [2.5, -1.0, 0.25, 3.25, 5.5, -4.5, 0.0, 1.5, 2.0, 0.75]
    yield "plain", y, guess
    yield "one y is zero", [0.0 if value == 0.75 else value for value in y], guess
    yield "all correct", y, y
    yield "shifted by 1", y, [value + 1 for value in y]
    yield "mean predicted", y, [float(np.mean(y))] * 10
    yield "constant y", [3.0] * 10, guess
    yield "constant y, all correct", [3.0] * 10, [3.0] * 10
    yield "constant y, constant guess", [3.0] * 10, [2.0] * 10
    yield "one row", [3.0], [2.5]
    several = np.column_stack([y, [3.0] * 10, [4 * value + 1 for value in guess]])
    found = np.column_stack([guess, [2.0] * 10, [4 * value for value in y]])
    yield "three outputs, the second constant", several, found
    yield "three outputs, the second constant and correct", several, np.column_stack([guess, [3.0] * 10, found[:, 2]])


REGRESSION = [
    "mean_absolute_error",
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_percentage_error",
    "median_absolute_error",
    "r2_score",
    "explained_variance_score",
]


def value(name, arguments, y_true, y_pred, sample_weight):
    """scikit-learn's number; NaN, its word for undefined, becomes null."""
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = float(getattr(metrics, name)(y_true, y_pred, **arguments, **weights))
    return None if math.isnan(found) else found


def scores(data, names, y_true, y_pred):
    """One data set with every score of it, each twice."""
    weights = weights_for(len(y_true))
    rows = []
    for name, arguments in names:
        row = {"metric": name, "arguments": arguments, "value": value(name, arguments, y_true, y_pred, None)}
        if name != "max_error":
            row["weighted"] = value(name, arguments, y_true, y_pred, weights)
        rows.append(row)
    return {"data": data, "y_true": y_true, "y_pred": y_pred, "sample_weight": weights, "scores": rows}


def generate():
    classes = [scores(data, list(class_scores("two" in data or "negative" in data)), y, p) for data, y, p in labelled()]
    binary_names = [
        ("roc_auc_score", {}),
        ("average_precision_score", {}),
        ("log_loss", {"labels": [0, 1]}),
        ("brier_score_loss", {"labels": [0, 1]}),
    ]
    binary = [scores(data, binary_names, y, p) for data, y, p in ranked()]
    several_names = [
        ("top_k_accuracy_score", {"k": 1}),
        ("top_k_accuracy_score", {"k": 2}),
        ("roc_auc_score", {"multi_class": "ovr", "average": "macro"}),
        ("roc_auc_score", {"multi_class": "ovr", "average": "weighted"}),
        ("log_loss", {}),
        ("brier_score_loss", {"scale_by_half": False}),
        ("brier_score_loss", {"scale_by_half": True}),
    ]
    several = [scores(data, several_names, y, p) for data, y, p in multiclass()]
    numbers = []
    for data, y, p in regression():
        names = [(name, {}) for name in REGRESSION] + ([("max_error", {})] if np.ndim(y) == 1 else [])
        numbers.append(scores(data, names, y, p))
    header = fixture_file.about(
        "metrics",
        ("scikit-learn", "numpy", "scipy"),
        ["float64"],
        SEED,
        "1e-13 · max(|value|, 1): sums of at most 16 terms.",
        [
            "value: without weights; weighted: with sample_weight; null where scikit-learn gives NaN",
            "classes: y_pred are labels; probabilities_of_one: of class 1; probabilities: of classes 0, 1, 2",
            "zero_division = 0: precision, recall and F1 of a class without predictions or rows are 0, and it counts "
            "in macro",
            "macro and weighted run over every class in y_true or y_pred; balanced accuracy only over those in y_true",
            "top_k_accuracy_score: of equal scores the later class ranks higher",
            "log_loss clips probabilities to [2.2e-16, 1 − 2.2e-16]",
            "constant y: r2_score is 1 when every prediction is right and else 0; explained_variance_score is 1 when "
            "all errors are equal and else 0; r2_score of one row is undefined",
            "cohen_kappa_score is undefined when y_true and y_pred hold one and the same class only; roc_auc_score "
            "when y_true holds one class only; average_precision_score without positives is 0; matthews_corrcoef with "
            "only one class in y_true or y_pred is 0",
            "median_absolute_error with weights: the errors in order, the first whose running weight passes half the "
            "total, or the mean of it and the one before when the running weight is exactly half there",
            "several outputs: every score is the plain mean of the outputs' scores, also the root mean squared error",
            "mean_absolute_percentage_error divides by max(|y|, 2.2e-16) and is a fraction, not a percentage",
        ],
    )
    fixture_file.write(
        "metrics",
        {
            "about": header,
            "classes": classes,
            "probabilities_of_one": binary,
            "probabilities": several,
            "numbers": numbers,
        },
    )
