"""How many candidates and how much of the resource scikit-learn's HalvingGridSearchCV gives each rung."""

import fixture_file
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV


class Shift(RegressorMixin, BaseEstimator):
    """Predicts the mean and a shift; more epochs change nothing."""

    def __init__(self, shift=0, epochs=1):
        self.shift, self.epochs = shift, epochs

    def fit(self, x, y):
        self.mean_ = float(np.mean(y)) + self.shift
        return self

    def predict(self, x):
        return np.full(len(x), self.mean_)


def rungs(candidates, factor, most):
    search = HalvingGridSearchCV(
        Shift(),
        {"shift": list(range(candidates))},
        resource="epochs",
        max_resources=most,
        min_resources="exhaust",
        factor=factor,
        cv=2,
        refit=False,
    )
    x = np.arange(20.0).reshape(-1, 1)
    search.fit(x, x[:, 0])
    return {
        "candidates": candidates,
        "factor": factor,
        "most": most,
        "n_candidates": search.n_candidates_,
        "n_resources": search.n_resources_,
    }


def generate():
    pairs = [(2, 64), (3, 81), (3, 100), (4, 7)]
    counts = [1, 2, 3, 8, 9, 10, 27, 28, 100, 200]
    notes = ["min_resources='exhaust'; the least is 1"]
    fixture_file.write(
        "halving",
        {
            "about": fixture_file.about("halving", ["scikit-learn"], None, None, "whole numbers, exact", notes),
            "cases": [rungs(count, factor, most) for count in counts for factor, most in pairs],
        },
    )
