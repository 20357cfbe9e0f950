"""scikit-learn's `learning_rate="adaptive"`: the rate after each epoch of a given curve of losses, and where it stops."""

import fixture_file
import numpy as np
from sklearn.neural_network import MLPRegressor
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer


def curves():
    i = np.arange(200)
    return {
        "falls": 1.0 / (1.0 + i),
        "stands still": np.full(200, 0.5),
        "creeps by less than tol": 1.0 - 5e-5 * i,
        "falls and stays": np.maximum(1.0 - 0.05 * i, 0.1),
        "swings": 0.5 + 0.25 * np.cos(i),
        "falls, with a shock": np.where(i == 30, 5.0, 1.0 / (1.0 + i)),
    }


def follow(losses, rate, patience, tol):
    """`MLPRegressor._fit_stochastic` with its losses given."""
    model = MLPRegressor(tol=tol, n_iter_no_change=patience)
    model.loss_curve_, model.best_loss_, model._no_improvement_count = [], np.inf, 0
    optimizer = SGDOptimizer([np.zeros(1)], rate, "adaptive")
    rates = []
    for loss in losses:
        model.loss_curve_.append(float(loss))
        model._update_no_improvement_count(False, None, None, None)
        if model._no_improvement_count > patience:
            if optimizer.trigger_stopping("", False):
                break
            model._no_improvement_count = 0
        rates.append(float(optimizer.learning_rate))
    return rates


def generate():
    cases = []
    for name, losses in curves().items():
        for rate, patience, tol in [(0.1, 10, 1e-4), (0.001, 2, 1e-4), (1e-6, 3, 0.0), (0.02, 1, 0.01)]:
            rates = follow(losses, rate, patience, tol)
            cases.append(
                {
                    "curve": name,
                    "learning_rate": rate,
                    "n_iter_no_change": patience,
                    "tol": tol,
                    "rates": rates,
                    "stops_after": len(rates) + 1 if len(rates) < len(losses) else None,
                }
            )
    header = fixture_file.about(
        "adaptive_rate",
        ("scikit-learn", "numpy"),
        ["float64"],
        None,
        "0: the same divisions by 5.",
        [
            "rates: that of the next epoch, after each epoch that does not stop",
            "stops_after: the epoch, from 1, at whose end training stops; null: it goes through",
            "an epoch counts as none when its loss is above best − tol; the best is the lowest of all, improved or not; the "
            "rate falls when more than n_iter_no_change in a row count as none, and training stops there when the rate is "
            "not above 1e-6",
        ],
    )
    fixture_file.write("adaptive_rate", {"about": header, "curves": curves(), "cases": cases})
