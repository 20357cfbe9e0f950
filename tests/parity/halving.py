"""Writes halving.json: how many candidates and resources scikit-learn's HalvingGridSearchCV gives each rung.

    python tests/parity/halving.py        (scikit-learn as in requirements.txt)
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV


class Shift(RegressorMixin, BaseEstimator):
    def __init__(self, shift=0, epochs=1):
        self.shift, self.epochs = shift, epochs

    def fit(self, x, y):
        self.mean_ = float(np.mean(y)) + self.shift
        return self

    def predict(self, x):
        return np.full(len(x), self.mean_)


def rungs(candidates, factor, most):
    search = HalvingGridSearchCV(
        Shift(), {"shift": list(range(candidates))}, resource="epochs", max_resources=most,
        min_resources="exhaust", factor=factor, cv=2, refit=False)
    x = np.arange(20.0).reshape(-1, 1)
    search.fit(x, x[:, 0])
    return {"candidates": candidates, "factor": factor, "most": most,
            "n_candidates": search.n_candidates_, "n_resources": search.n_resources_}


cases = [rungs(c, f, m) for c in (1, 2, 3, 8, 9, 10, 27, 28, 100, 200) for f, m in ((2, 64), (3, 81), (3, 100), (4, 7))]
fixture = {"library": f"scikit-learn {sklearn.__version__}", "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(fixture, indent=1) + "\n")
