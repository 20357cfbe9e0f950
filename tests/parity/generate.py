"""Writes the fixtures of this folder.

python generate.py              all of them
python generate.py d2 losses    only these
"""

import importlib
import sys
from pathlib import Path

FIXTURES = [
    "d2",
    "optimizers",
    "activations",
    "losses",
    "regularizers",
    "activity",
    "training",
    "layers",
    "initializers",
    "metrics",
    "splitters",
    "halving",
    "estimator_mlp",
    "lbfgs",
    "adaptive_rate",
]

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent / "generators"))
    for name in sys.argv[1:] or FIXTURES:
        importlib.import_module(name).generate()
