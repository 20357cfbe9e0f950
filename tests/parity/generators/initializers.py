"""What each initializer promises for a (300, 200) kernel, and the statistics of one Keras sample of it.

Random numbers differ between libraries; spread, limits and shape of the distribution do not.
"""

import math

import fixture_file
import numpy as np
from keras_session import LIBRARIES, keras, use_dtype

SHAPE = FAN_IN, FAN_OUT = 300, 200
SEED = 42
# The standard deviation of a unit normal cut at ±2; dividing by it makes the cut normal have the wanted one.
CUT_STD = 0.87962566103423978


def cases():
    """Keras' class, arguments, distribution, standard deviation and the largest possible |value| (null: none)."""
    for name, variance in (
        ("Glorot", 2 / (FAN_IN + FAN_OUT)),
        ("He", 2 / FAN_IN),
        ("Lecun", 1 / FAN_IN),
    ):
        std = math.sqrt(variance)
        yield f"{name}Uniform", {}, "uniform", std, math.sqrt(3 * variance)
        yield f"{name}Normal", {}, "normal cut at 2 std before correction", std, 2 * std / CUT_STD
    yield "RandomUniform", {}, "uniform", 0.05 / math.sqrt(3), 0.05
    yield "RandomUniform", {"minval": -0.5, "maxval": 0.5}, "uniform", 0.5 / math.sqrt(3), 0.5
    yield "RandomNormal", {}, "normal", 0.05, None
    yield "RandomNormal", {"stddev": 0.2}, "normal", 0.2, None
    yield "TruncatedNormal", {}, "normal cut at 2 std, not corrected", 0.05 * CUT_STD, 0.1
    yield "Orthogonal", {}, "orthonormal columns", 1 / math.sqrt(FAN_IN), 1.0
    yield "Orthogonal", {"gain": 1.5}, "orthonormal columns", 1.5 / math.sqrt(FAN_IN), 1.5
    yield "Zeros", {}, "constant", 0.0, 0.0
    yield "Ones", {}, "constant", 0.0, 1.0
    yield "Constant", {}, "constant", 0.0, 0.0
    yield "Constant", {"value": 0.25}, "constant", 0.0, 0.25


def generate():
    use_dtype("float64")
    rows = []
    for name, arguments, distribution, std, largest in cases():
        kind = getattr(keras.initializers, name)
        seed = {} if distribution == "constant" else {"seed": SEED}
        w = np.asarray(kind(**arguments, **seed)(SHAPE, dtype="float64"), np.float64)
        row = {
            "initializer": name,
            "arguments": arguments,
            "distribution": distribution,
            "std": std,
            "largest": largest,
            "sample": {
                "mean": w.mean(),
                "std": w.std(),
                "min": w.min(),
                "max": w.max(),
                "below_std": (np.abs(w) < std).mean(),
            },
        }
        if name == "Orthogonal":
            gain = arguments.get("gain", 1.0)
            row["gain"] = gain
            row["sample"]["columns_off_orthonormal"] = float(np.abs(w.T @ w - gain**2 * np.eye(FAN_OUT)).max())
        rows.append(row)
    header = fixture_file.about(
        "initializers",
        LIBRARIES,
        ["float64"],
        SEED,
        "60000 values: the mean of a sample lies within 5·std/√60000 of 0, its std within 2 % of std, and no value is "
        "beyond largest. Orthogonal: WᵀW = gain²·I to 1e-5 in Keras, which takes the QR of a float32 sample.",
        [
            "shape is (fan_in, fan_out) = (300, 200)",
            "std and largest: from the formula; sample: from Keras with the seed",
            "below_std: share of |values| below std; 0.577 for a uniform, 0.683 for a normal, "
            "between them for a cut normal",
            "the cut normals draw with std/0.87962566103423978 and cut at twice that",
            "TruncatedNormal does not correct: its default stddev 0.05 gives values with std 0.04398",
        ],
    )
    fixture_file.write("initializers", {"about": header, "shape": SHAPE, "initializers": rows})
