"""Recomputes the fixtures in plain numpy, apart from the libraries that made them.

    python check.py              all files
    python check.py d2 losses    only these

Prints, per file, the largest distance found and fails when one is larger than the file's own tolerance.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "generators"))

import fixture_file
import reference

LIMIT = {"float64": 1e-14, "float32": 2e-6}


class Worst:
    """The largest distance, relative above 1 and absolute below, per dtype."""

    def __init__(self):
        self.found = {}

    def compare(self, dtype, label, found, expected, limit=None):
        found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
        assert found.shape == expected.shape, (label, found.shape, expected.shape)
        distance = float((np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max())
        allowed = LIMIT[dtype] if limit is None else limit
        assert distance <= allowed, f"{label}: {distance} > {allowed}"
        self.found[dtype] = max(self.found.get(dtype, (0.0, "")), (distance, label))

    def __str__(self):
        return "; ".join(f"{dtype} {value:.1e} ({label})" for dtype, (value, label) in sorted(self.found.items()))


def check_d2(document, worst):
    for case in document["cases"]:
        rule = reference.Exact(case["optimizer"], {**case["config"], **case["arguments"]})
        weights = [np.array(case["start"], np.longdouble)]
        for gradient, expected in zip(case["gradients"], case["after_each_step"]):
            rule.apply([np.array(gradient, np.longdouble)], weights)
            worst.compare(
                case["dtype"],
                f"{case['case']} {case['optimizer']}",
                weights[0],
                expected,
                {"float64": 1e-14, "float32": 1e-5}[case["dtype"]],
            )


def check_optimizers(document, worst):
    """The distances to the 80-bit run are in the file; here the rest: losses, averages, rates and the twins."""
    x, y = (np.array(document[key], np.longdouble) for key in ("x", "y"))
    by_name = {(run["library"], run["title"], run["dtype"]): run for run in document["runs"]}

    def arrays(layers):
        return [np.array(layer[part], np.longdouble) for layer in layers for part in ("kernel", "bias")]

    for run in document["runs"]:
        for snapshot in run["snapshots"]:
            label = f"{run['library']} {run['title']} step {snapshot['step']}"
            # Adam at 0.05 multiplies a rounding by a few thousand on its way, every other run by a few dozen.
            fast = "learning_rate=0.05" in run["title"]
            allowed = {"float64": 1e-12 if fast else 1e-13, "float32": 2e-4 if fast else 2e-5}[run["dtype"]]
            assert snapshot["distance_to_exact"] <= allowed, (label, snapshot["distance_to_exact"])
            loss, _ = reference.loss_and_gradients(arrays(snapshot["weights"]), x, y)
            worst.compare(run["dtype"], label, snapshot["loss_after"], loss)
            if snapshot["step"] == 1:
                initial = arrays(document["initial_weights"])
                loss, _ = reference.loss_and_gradients(initial, x[:8], y[:8])
                worst.compare(run["dtype"], label, snapshot["batch_loss"], loss)
        twin = run.get("equals_keras_run") and by_name["keras", run["equals_keras_run"], run["dtype"]]
        for ours, theirs in zip(run["snapshots"], twin["snapshots"] if twin else []):
            for a, b in zip(arrays(ours["weights"]), arrays(theirs["weights"])):
                worst.compare(
                    run["dtype"], "twin of " + run["title"], a, b, {"float64": 1e-13, "float32": 2e-5}[run["dtype"]]
                )
        if run.get("schedule"):
            defaults = {"staircase": False, "t_mul": 2.0, "m_mul": 1.0, "alpha": 0.0}
            rate = reference.schedule(run["schedule"]["class_name"], {**defaults, **run["schedule"]["arguments"]})
            rates = run["learning_rates"]
            worst.compare(run["dtype"], run["title"], rates["rate"], [rate(step) for step in rates["step"]])
        if run["arguments"].get("use_ema"):
            rule = reference.Exact(run["optimizer"], {**run["config"], **run["arguments"]})
            weights, seen = arrays(document["initial_weights"]), {s["step"]: s for s in run["snapshots"]}
            for step in range(1, 501):
                rows = slice((step - 1) * 8 % 24, (step - 1) * 8 % 24 + 8)
                rule.apply(reference.loss_and_gradients(weights, x[rows], y[rows])[1], weights)
                if step in seen:
                    for ours, theirs in zip(rule.average, arrays(seen[step]["average"])):
                        worst.compare(run["dtype"], "average of " + run["title"], ours, theirs)


def check_activations(document, worst):
    """Against the exact column, and that column's derivative against central differences of its values in between."""
    for row in document["activations"]:
        loose = {"gelu": 1e-8, "leaky_relu": 1.5e-8}.get(row["activation"])
        for key, exact in row["exact"].items():
            label = f"{row['activation']} {key}"
            worst.compare("float64", label, row["float64"][key], exact, loose)
            worst.compare("float32", label, row["float32"][key], exact)
    x = np.array(document["activations"][0]["x"])
    by_name = {row["activation"]: row["exact"]["y"] for row in document["activations"]}
    worst.compare("float64", "tanh by numpy", by_name["tanh"], np.tanh(x))
    worst.compare("float64", "softplus by numpy", by_name["softplus"], np.logaddexp(0, x))


def loss_per_row(loss, arguments, y, p):
    epsilon = 1e-7
    clip = lambda q: np.clip(q, epsilon, 1 - epsilon)
    smoothing = arguments.get("label_smoothing", 0.0)
    error = p - y if loss not in ("SparseCategoricalCrossentropy",) else None
    if loss == "MeanSquaredError":
        return (error**2).mean(axis=1)
    if loss == "MeanAbsoluteError":
        return np.abs(error).mean(axis=1)
    if loss == "Huber":
        d = arguments["delta"]
        return np.where(np.abs(error) <= d, error**2 / 2, d * np.abs(error) - d * d / 2).mean(axis=1)
    if loss == "LogCosh":
        return (np.logaddexp(error, -error) - np.log(2)).mean(axis=1)
    if loss == "Poisson":
        return (p - y * np.log(p + epsilon)).mean(axis=1)
    if loss == "BinaryCrossentropy":
        y = y * (1 - smoothing) + smoothing / 2
        if arguments["from_logits"]:
            return (np.logaddexp(0, p) - y * p).mean(axis=1)
        return -(y * np.log(clip(p)) + (1 - y) * np.log(1 - clip(p))).mean(axis=1)
    if loss == "SparseCategoricalCrossentropy":
        y = np.eye(p.shape[1])[y]
        logits = p if arguments["from_logits"] else np.log(clip(p))
    else:
        y = y * (1 - smoothing) + smoothing / p.shape[1]
        if not arguments["from_logits"]:
            return -(y * np.log(clip(p / p.sum(axis=1, keepdims=True)))).sum(axis=1)
        logits = p
    return (np.logaddexp.reduce(logits, axis=1)[:, None] * y - y * logits).sum(axis=1)


def check_losses(document, worst):
    weights = np.array(document["sample_weight"])
    for row in document["losses"]:
        sparse = row["loss"].startswith("Sparse")
        y, p = np.array(row["y_true"], int if sparse else np.longdouble), np.array(row["y_pred"], np.longdouble)
        expected = loss_per_row(row["loss"], row["arguments"], y, p)
        for dtype in ("float64", "float32"):
            stored, label = row[dtype], f"{row['loss']} {row['arguments']} {row['data']}"
            # In float32 1 − 1e-7 is 1 − 1.19e-7, which moves −ln(1 − p) at p = 1 from 16.12 to 15.94.
            limit = 0.02 if dtype == "float32" and "ones" in row["data"] else None
            worst.compare(dtype, label, stored["per_row"], expected, limit)
            worst.compare(dtype, label, stored["mean"], expected.mean(), limit)
            worst.compare(dtype, label, stored["weighted_mean"], (weights * expected).sum() / weights.sum(), limit)
            worst.compare(dtype, label, stored["keras_weighted"], (weights * expected).mean(), limit)
        if "ones" in row["data"]:
            continue
        for at in np.ndindex(p.shape):
            if row["loss"] == "Poisson" and p[at] < 0.01:
                continue
            step = np.zeros(p.shape, np.longdouble)
            step[at] = 1e-7
            up, down = (loss_per_row(row["loss"], row["arguments"], y, q) for q in (p + step, p - step))
            slope, by_weight = (up - down) / 2e-7, (weights * (up - down)).sum() / weights.sum() / 2e-7
            for dtype, limit in (("float64", 1e-6), ("float32", 2e-5)):
                gradient, weighted = (np.array(row[dtype][k])[at] for k in ("gradient", "weighted_gradient"))
                worst.compare(dtype + " slopes", row["loss"], gradient, slope.mean(), limit)
                worst.compare(dtype + " slopes", row["loss"], weighted, by_weight, limit)


def check_regularizers(document, worst):
    w = np.array(document["kernel"])
    for row in document["regularizers"]:
        l1, l2 = (row["arguments"].get(key, 0.0) for key in ("l1", "l2"))
        for dtype, limit in (("float64", 1e-15), ("float32", 5e-7)):
            label = f"{row['regularizer']} {row['arguments']}"
            worst.compare(dtype, label, row[dtype]["penalty"], l1 * np.abs(w).sum() + l2 * (w**2).sum(), limit)
            worst.compare(dtype, label, row[dtype]["gradient"], l1 * np.sign(w) + 2 * l2 * w, limit)


def check_training(document, worst):
    x, y = (np.array(document[key], np.longdouble) for key in ("x", "y"))
    trained, batch = int(len(x) * (1 - document["validation_split"])), document["batch_size"]

    def forward(w, rows):
        z = x[rows] @ w[0] + w[1]
        a = np.maximum(z, 0)
        error = a @ w[2] + w[3] - y[rows]
        penalty = 0.01 * (w[0] ** 2).sum() + 0.001 * np.abs(w[2]).sum()
        return z, a, error, (error**2).mean() + penalty, np.abs(error).mean()

    def average(w, first, last):
        parts = [(rows.stop - rows.start, *forward(w, rows)[3:]) for rows in slices(first, last)]
        return [sum(p[0] * p[k] for p in parts) / (last - first) for k in (1, 2)]

    def slices(first, last):
        return [slice(start, min(start + batch, last)) for start in range(first, last, batch)]

    for run in document["runs"]:
        rule = reference.Exact("Adam", run["config"])
        w = [np.array(layer[p], np.longdouble) for layer in document["initial_weights"] for p in ("kernel", "bias")]
        limit = {"float64": 1e-14, "float32": 5e-6}[run["dtype"]]
        for epoch in range(document["epochs"]):
            sums = np.zeros(2)
            for rows in slices(0, trained):
                z, a, error, loss, mae = forward(w, rows)
                n = rows.stop - rows.start
                sums += n * np.array([loss, mae], float)
                delta = 2 * error / n
                back = (delta @ w[2].T) * (z > 0)
                gradients = [x[rows].T @ back + 0.02 * w[0], back.sum(axis=0)]
                gradients += [a.T @ delta + 0.001 * np.sign(w[2]), delta.sum(axis=0)]
                rule.apply(gradients, w)
            found = [*(sums / trained), *average(w, trained, len(x))]
            for key, value in zip(("loss", "mae", "val_loss", "val_mae"), found):
                worst.compare(run["dtype"], f"{key} of epoch {epoch + 1}", run["history"][key][epoch], value, limit)
        for key, value in zip(("loss", "mae"), average(w, 0, len(x))):
            worst.compare(run["dtype"], f"evaluate {key}", run["evaluate"][key], value, limit)
        stored = [layer[p] for layer in run["weights"] for p in ("kernel", "bias")]
        for ours, theirs in zip(w, stored):
            worst.compare(run["dtype"], "final weights", ours, theirs, limit)
        worst.compare(run["dtype"], "predict", run["predict"], forward(w, slice(None))[2][:, 0] + y[:, 0], limit)


def check_estimator_mlp(document, worst):
    x = np.array(document["x"])
    hidden = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "identity": lambda z: z,
        "softmax": lambda z: np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None]),
    }
    for model in document["models"]:
        a = x
        for layer, (kernel, bias) in enumerate(zip(model["coefs"], model["intercepts"]), 1):
            last = layer == len(model["coefs"])
            activation = model["out_activation"] if last else model["arguments"]["activation"]
            a = hidden[activation](a @ np.array(kernel) + np.array(bias))
        label, predict = f"{model['estimator']} {model['target']}", np.array(model["predict"])
        if model["estimator"] == "MLPRegressor":
            worst.compare("float64", label, predict, a.reshape(predict.shape))
            continue
        classes = (a > 0.5).astype(int) if model["out_activation"] == "logistic" else a.argmax(axis=1)
        assert (classes.reshape(predict.shape) == predict).all()
        proba = np.array(model["predict_proba"])
        worst.compare("float64", label, proba, np.hstack([1 - a, a]) if a.shape[1] == 1 else a)


def check_initializers(document, worst):
    """The sample against the promises, at the tolerance the file names."""
    count = document["shape"][0] * document["shape"][1]
    for row in document["initializers"]:
        std, sample, label = row["std"], row["sample"], f"{row['initializer']} {row['arguments']}"
        if row["distribution"] == "constant":
            assert sample["min"] == sample["max"] == row["largest"], label
            continue
        assert abs(sample["mean"]) < 5 * std / count**0.5, label
        worst.compare("float64", label, sample["std"] / std, 1.0, 0.02)
        if row["largest"] is not None:
            assert max(sample["max"], -sample["min"]) <= row["largest"], label
        if "gain" in row:
            assert sample["columns_off_orthonormal"] < 1e-5, label
        share = {"uniform": 3**-0.5, "normal": 0.6827, "orthonormal columns": 0.6827}.get(row["distribution"])
        worst.compare("float64 share", label, sample["below_std"], share or 0.65, 0.01)


def score_of_classes(metric, arguments, y, p, w):
    labels = np.unique(np.concatenate([y, p]))
    table = np.array([[w[(y == a) & (p == b)].sum() for b in labels] for a in labels])
    rows, columns, hits, total = table.sum(axis=1), table.sum(axis=0), np.diag(table), table.sum()
    divide = lambda a, b: np.divide(a, b, out=np.zeros_like(b), where=b != 0)
    if metric == "accuracy_score":
        return hits.sum() / total
    if metric == "balanced_accuracy_score":
        return (hits[rows > 0] / rows[rows > 0]).mean()
    if metric == "matthews_corrcoef":
        covariance = hits.sum() * total - rows @ columns
        spread = np.sqrt(total**2 - rows @ rows) * np.sqrt(total**2 - columns @ columns)
        return covariance / spread if spread else 0.0
    if metric == "cohen_kappa_score":
        chance = rows @ columns / total
        return (hits.sum() - chance) / (total - chance) if total != chance else None
    each = {
        "precision_score": divide(hits, columns),
        "recall_score": divide(hits, rows),
        "f1_score": divide(2 * hits, rows + columns),
    }[metric]
    if arguments["average"] == "binary":
        return each[list(labels).index(1)] if 1 in labels else 0.0
    return each.mean() if arguments["average"] == "macro" else each @ rows / total


def area(positive, score, w):
    """The weighted share of pairs in order, a tie counting half."""
    pairs = np.outer(w * positive, w * ~positive)
    order = (score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    return (pairs * order).sum() / pairs.sum() if pairs.sum() else None


def score_of_probabilities(metric, arguments, y, p, w):
    binary = p.ndim == 1
    both = np.column_stack([1 - p, p]) if binary else p
    truth = np.eye(both.shape[1])[y]
    if metric == "log_loss":
        tiny = np.finfo(float).eps
        return -(w * np.log(np.clip(both, tiny, 1 - tiny))[np.arange(len(y)), y]).sum() / w.sum()
    if metric == "brier_score_loss":
        half = binary or arguments["scale_by_half"]
        return (w * ((both - truth) ** 2).sum(axis=1)).sum() / w.sum() / (2 if half else 1)
    if metric == "top_k_accuracy_score":
        k = np.arange(p.shape[1])
        ahead = [((row > row[c]) | ((row == row[c]) & (k > c))).sum() for row, c in zip(p, y)]
        return (w * (np.array(ahead) < arguments["k"])).sum() / w.sum()
    if metric == "average_precision_score":
        found, last, total = 0.0, 0.0, (w * y).sum()
        for cut in sorted(set(p), reverse=True) if total else []:
            taken = p >= cut
            recall = (w * y)[taken].sum() / total
            if w[taken].sum():
                found += (recall - last) * (w * y)[taken].sum() / w[taken].sum()
            last = recall
        return found
    if binary:
        return area(y == 1, p, w)
    areas = np.array([area(y == c, p[:, c], w) for c in range(p.shape[1])])
    shares = np.array([w[y == c].sum() for c in range(p.shape[1])])
    return areas.mean() if arguments["average"] == "macro" else areas @ shares / shares.sum()


def score_of_numbers(metric, arguments, y, p, w):
    if y.ndim == 2:
        each = [score_of_numbers(metric, arguments, *pair, w) for pair in zip(y.T, p.T)]
        return sum(each) / len(each)
    error, mean = y - p, lambda values: (w * values).sum() / w.sum()
    if metric == "max_error":
        return np.abs(error).max()
    if metric == "median_absolute_error":
        order = np.argsort(np.abs(error))
        order = order[w[order] > 0]
        errors, running = np.abs(error)[order], np.cumsum(w[order])
        at = np.searchsorted(running, running[-1] / 2)
        return errors[at : at + 2].mean() if running[at] == running[-1] / 2 else errors[at]
    if metric in ("r2_score", "explained_variance_score"):
        if metric == "r2_score" and len(y) < 2:
            return None
        shift = mean(error) if metric.startswith("explained") else 0.0
        above, below = mean((error - shift) ** 2), mean((y - mean(y)) ** 2)
        # A constant y leaves a rounding below, not always a zero.
        return 1 - above / below if below > 1e-30 else float(above < 1e-30)
    return {
        "mean_absolute_error": lambda: mean(np.abs(error)),
        "mean_squared_error": lambda: mean(error**2),
        "root_mean_squared_error": lambda: mean(error**2) ** 0.5,
        "mean_absolute_percentage_error": lambda: mean(np.abs(error) / np.maximum(np.abs(y), np.finfo(float).eps)),
    }[metric]()


def check_metrics(document, worst):
    rules = {
        "classes": score_of_classes,
        "probabilities_of_one": score_of_probabilities,
        "probabilities": score_of_probabilities,
        "numbers": score_of_numbers,
    }
    for group, rule in rules.items():
        for case in document[group]:
            y, p, w = (np.array(case[key]) for key in ("y_true", "y_pred", "sample_weight"))
            for row in case["scores"]:
                label = f"{row['metric']} {row['arguments']} {case['data']}"
                for key, weights in (("value", np.ones(len(y))), ("weighted", w)):
                    if key not in row:
                        continue
                    expected = rule(row["metric"], row["arguments"], y, p, weights)
                    assert (expected is None) == (row[key] is None), (label, key, expected, row[key])
                    if expected is not None:
                        worst.compare("float64", f"{label} {key}", row[key], expected, 1e-13)


if __name__ == "__main__":
    checks = {key[6:]: value for key, value in globals().items() if key.startswith("check_")}
    for name in sys.argv[1:] or checks:
        document = fixture_file.read(name)
        worst = Worst()
        checks[name](document, worst)
        print(f"{name}: {worst}")
