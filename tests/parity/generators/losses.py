"""Losses on six rows: per row, mean, gradient, with and without sample weights."""

import fixture_file
import numpy as np
from keras_session import LIBRARIES, keras, literals_in_full_precision, tf, use_dtype

WEIGHTS = [1.0, 2.0, 0.0, 1.0, 0.5, 1.0]
REGRESSION_TRUE = [
    [0.5, -1.0, 2.0],
    [0.0, 0.0, 0.0],
    [1.5, 3.25, -2.0],
    [-0.5, 4.0, 1.0],
    [100.0, -100.0, 0.25],
    [2.0, 1.0, 0.0],
]
# Holds an exact hit, errors of exactly ±0.5 and ±1 (where huber changes form), tiny ones and huge ones.
REGRESSION_PRED = [
    [0.5, -0.5, 1.0],
    [0.125, -0.25, 0.0],
    [2.5, 2.75, -4.5],
    [-0.5, 3.0, 1.0009765625],
    [-100.0, 100.0, 0.75],
    [1.5, 2.0, 3.5],
]
COUNTS_TRUE = [[0.0, 1.0, 2.0], [3.0, 0.0, 7.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [12.0, 5.0, 0.0], [2.0, 4.0, 1.0]]
COUNTS_PRED = [
    [0.5, 1.0, 2.5],
    [2.75, 0.125, 6.5],
    [1.0, 0.25, 4.0],
    [0.5, 0.001, 2.0],
    [10.0, 5.5, 0.75],
    [2.0, 3.5, 0.0],
]
LABELS_TRUE = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
PROBA = [
    [0.9, 0.1, 0.75],
    [0.5, 0.25, 0.5],
    [0.125, 0.99, 0.01],
    [0.3, 0.6, 0.999],
    [0.001, 0.2, 0.45],
    [0.7, 0.8, 0.05],
]
PROBA_AT_THE_ENDS = [
    [1.0, 0.0, 1.0],
    [0.0, 1.0, 0.5],
    [0.0, 0.0, 1.0],
    [1.0, 1.0, 1e-9],
    [0.5, 1.0, 0.0],
    [0.0, 0.0, 0.0],
]
LOGITS = [
    [2.0, -1.5, 0.25],
    [0.0, 0.0, 0.0],
    [-3.0, 4.5, -6.0],
    [12.0, -0.5, 1.0],
    [0.125, -8.0, 20.0],
    [-20.0, 3.0, 7.5],
]
EXTREME_LOGITS = [
    [1000.0, -1000.0, 1000.0],
    [-1000.0, 1000.0, -1000.0],
    [1000.0, 1000.0, 1000.0],
    [-1000.0, 0.0, -999.0],
    [0.0, 40.0, -40.0],
    [1000.0, 999.0, -1000.0],
]
CLASS = [0, 2, 1, 1, 0, 2]
ONE_HOT = [[float(c == k) for k in range(3)] for c in CLASS]
# Rows of probabilities; the last two do not sum to one.
CLASS_PROBA = [
    [0.7, 0.2, 0.1],
    [0.25, 0.25, 0.5],
    [0.9, 0.05, 0.05],
    [0.01, 0.98, 0.01],
    [0.5, 0.5, 0.5],
    [0.1, 0.2, 0.4],
]
CLASS_PROBA_AT_THE_ENDS = [
    [1.0, 0.0, 0.0],
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.5, 0.0, 0.5],
    [0.0, 0.5, 0.5],
    [0.0, 0.0, 1.0],
]


def column(rows):
    return [[row[1]] for row in rows]


def both_widths(loss, arguments, rows, suffix=""):
    y_true, y_pred = rows
    yield loss, arguments, "6x3" + suffix, y_true, y_pred
    yield loss, arguments, "6x1" + suffix, column(y_true), column(y_pred)


def cases():
    """Keras' class, its arguments, the data's name and the data."""
    regression = (REGRESSION_TRUE, REGRESSION_PRED)
    yield from both_widths("MeanSquaredError", {}, regression)
    yield from both_widths("MeanAbsoluteError", {}, regression)
    yield from both_widths("Huber", {"delta": 1.0}, regression)
    yield from both_widths("Huber", {"delta": 0.5}, regression)
    yield from both_widths("LogCosh", {}, regression)
    yield from both_widths("Poisson", {}, (COUNTS_TRUE, COUNTS_PRED))
    for smoothing in (0.0, 0.1):
        proba = {"from_logits": False, "label_smoothing": smoothing}
        logits = {"from_logits": True, "label_smoothing": smoothing}
        yield from both_widths("BinaryCrossentropy", proba, (LABELS_TRUE, PROBA))
        yield from both_widths("BinaryCrossentropy", proba, (LABELS_TRUE, PROBA_AT_THE_ENDS), " zeros and ones")
        yield from both_widths("BinaryCrossentropy", logits, (LABELS_TRUE, LOGITS))
        yield from both_widths("BinaryCrossentropy", logits, (LABELS_TRUE, EXTREME_LOGITS), " extreme")
        yield "CategoricalCrossentropy", proba, "6x3", ONE_HOT, CLASS_PROBA
        yield "CategoricalCrossentropy", proba, "6x3 zeros and ones", ONE_HOT, CLASS_PROBA_AT_THE_ENDS
        yield "CategoricalCrossentropy", logits, "6x3", ONE_HOT, LOGITS
        yield "CategoricalCrossentropy", logits, "6x3 extreme", ONE_HOT, EXTREME_LOGITS
    yield "SparseCategoricalCrossentropy", {"from_logits": False}, "6x3", CLASS, CLASS_PROBA
    yield "SparseCategoricalCrossentropy", {"from_logits": False}, "6x3 zeros and ones", CLASS, CLASS_PROBA_AT_THE_ENDS
    yield "SparseCategoricalCrossentropy", {"from_logits": True}, "6x3", CLASS, LOGITS
    yield "SparseCategoricalCrossentropy", {"from_logits": True}, "6x3 extreme", CLASS, EXTREME_LOGITS


def evaluate(loss, arguments, y_true, y_pred, dtype):
    use_dtype(dtype)
    keras_loss = getattr(keras.losses, loss)
    y_true = tf.constant(y_true, "int64" if loss.startswith("Sparse") else dtype)
    y_pred = tf.constant(y_pred, dtype)
    weights = np.asarray(WEIGHTS, dtype)
    with literals_in_full_precision(), tf.GradientTape(persistent=True) as tape:
        tape.watch(y_pred)
        per_row = keras_loss(reduction=None, **arguments)(y_true, y_pred)
        mean = keras_loss(**arguments)(y_true, y_pred)
        weighted_mean = tf.reduce_sum(weights * per_row) / tf.constant(weights.sum(), dtype)
        keras_weighted = keras_loss(**arguments)(y_true, y_pred, sample_weight=weights)
    return {
        "per_row": per_row.numpy(),
        "mean": mean.numpy(),
        "gradient": tape.gradient(mean, y_pred).numpy(),
        "weighted_mean": (weights * per_row.numpy()).sum() / weights.sum(),
        "weighted_gradient": tape.gradient(weighted_mean, y_pred).numpy(),
        "keras_weighted": keras_weighted.numpy(),
    }


def generate():
    rows = []
    for loss, arguments, data, y_true, y_pred in cases():
        rows.append(
            {
                "loss": loss,
                "arguments": arguments,
                "data": data,
                "y_true": y_true,
                "y_pred": y_pred,
                "float64": evaluate(loss, arguments, y_true, y_pred, "float64"),
                "float32": evaluate(loss, arguments, y_true, y_pred, "float32"),
            }
        )
    header = fixture_file.about(
        "losses",
        LIBRARIES,
        ["float64", "float32"],
        None,
        "float64: 1e-14 · max(|value|, 1), the rounding of a logarithm and a sum. float32: 2e-6 · max(|value|, 1), and "
        "2e-5 for gradients of BinaryCrossentropy of probabilities, where 1 − 0.999 has lost three digits. For the "
        "data named zeros and ones in float32 see the notes.",
        [
            "per_row: mean over the outputs (cross-entropy of classes: the sum over classes); mean: of per_row",
            "gradient: of mean; weighted_gradient: of weighted_mean",
            "weighted_mean: Σ w·per_row / Σ w with sample_weight; keras_weighted: what Keras' default reduction gives, "
            "Σ w·per_row / 6",
            "zeros and ones: Keras clips probabilities to [1e-7, 1 − 1e-7], so the loss there is about 16.118 and the "
            "gradient outside the interval 0; in float32 1 − 1e-7 is 1 − 1.19e-7, and −ln(1 − p) at p = 1 is 15.94",
            "class probabilities: CategoricalCrossentropy divides a row by its sum before the logarithm; "
            "SparseCategoricalCrossentropy clips, takes logarithms and applies softmax to them, which normalises after "
            "the clipping; the rows that do not sum to 1 and the clipped rows show it",
            "label smoothing: y·(1−s) + s/2 for binary, y·(1−s) + s/n_classes for classes",
            "Poisson adds 1e-7 to y_pred inside the logarithm",
        ],
    )
    fixture_file.write("losses", {"about": header, "sample_weight": WEIGHTS, "losses": rows})
