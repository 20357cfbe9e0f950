"""Every activation and its derivative on points from −100 to 100: Keras' numbers and the exact ones."""

import fixture_file
from keras_session import LIBRARIES, keras, tf, use_dtype
from mpmath import mp, mpf

mp.dps = 50
# Kinks, tiny and huge arguments; all exact in float32.
POINTS = sorted(
    [float(i) for i in range(-12, 13)]
    + [sign * p for p in (0.25, 0.5, 1.5, 2.5, 20.0, 100.0, 2.0**-10, 2.0**-20) for sign in (1, -1)]
)
SOFTMAX_ROWS = [
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [1.0, 2.0, 3.0, 4.0, 5.0],
    [-1.5, 0.25, 3.0, -12.0, 0.5],
    [100.0, 99.0, -100.0, 0.0, 98.5],
    [-1000.0, 1000.0, 0.0, 999.0, -1.0],
    [20.0, -20.0, 20.0, -20.0, 19.5],
]
SOFTMAX_WEIGHTS = [0.5, -1.0, 2.0, 0.25, -0.75]
SELU_ALPHA = mpf("1.6732632423543772848170429916717")
SELU_SCALE = mpf("1.0507009873554804934193349852946")


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


# Name, Keras' function, the value and the derivative. At a kink the derivative is the one Keras takes.
ELEMENTWISE = [
    ("identity", "linear", {}, lambda x: x, lambda x: 1),
    ("relu", "relu", {}, lambda x: max(x, 0), lambda x: x > 0),
    (
        "leaky_relu",
        "leaky_relu",
        {"negative_slope": 0.2},
        lambda x: x if x > 0 else mpf(0.2) * x,
        lambda x: 1 if x > 0 else mpf(0.2),
    ),
    ("elu", "elu", {"alpha": 1.0}, lambda x: x if x > 0 else mp.expm1(x), lambda x: 1 if x >= 0 else mp.exp(x)),
    (
        "selu",
        "selu",
        {},
        lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mp.expm1(x)),
        lambda x: SELU_SCALE * (1 if x >= 0 else SELU_ALPHA * mp.exp(x)),
    ),
    (
        "gelu",
        "gelu",
        {"approximate": False},
        lambda x: x * normal_cdf(x),
        lambda x: normal_cdf(x) + x * mp.npdf(x),
    ),
    ("silu", "silu", {}, lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
    ("softplus", "softplus", {}, lambda x: mp.log1p(mp.exp(x)), sigmoid),
    ("softsign", "softsign", {}, lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    ("sigmoid", "sigmoid", {}, sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    (
        "hard_sigmoid",
        "hard_sigmoid",
        {},
        lambda x: min(max(x + 3, 0), 6) / 6,
        lambda x: mpf(1) / 6 if -3 < x < 3 else 0,
    ),
    ("tanh", "tanh", {}, mp.tanh, lambda x: 1 / mp.cosh(x) ** 2),
    ("exponential", "exponential", {}, mp.exp, mp.exp),
]


def keras_values(function, arguments, x, weights, dtype):
    """Outputs, and the gradient of the weighted sum of outputs."""
    use_dtype(dtype)
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(keras.activations, function)(x, **arguments)
        total = tf.reduce_sum(tf.constant(weights, dtype) * y)
    return y.numpy(), tf.convert_to_tensor(tape.gradient(total, x)).numpy()


def elementwise(name, function, arguments, value, slope):
    # e¹⁰⁰ is not a float32.
    x = [p for p in POINTS if name != "exponential" or abs(p) < 100]
    y, derivative = keras_values(function, arguments, x, 1.0, "float64")
    y32, derivative32 = keras_values(function, arguments, x, 1.0, "float32")
    return {
        "activation": name,
        "keras": function,
        "arguments": arguments,
        "x": x,
        "exact": {"y": [float(value(mpf(p))) for p in x], "derivative": [float(slope(mpf(p))) for p in x]},
        "float64": {"y": y, "derivative": derivative},
        "float32": {"y": y32, "derivative": derivative32},
    }


def exact_softmax(row):
    powers = [mp.exp(mpf(p) - max(row)) for p in row]
    proba = [p / sum(powers) for p in powers]
    mean = sum(w * p for w, p in zip(SOFTMAX_WEIGHTS, proba))
    return [float(p) for p in proba], [float(p * (w - mean)) for w, p in zip(SOFTMAX_WEIGHTS, proba)]


def softmax():
    exact = [exact_softmax(row) for row in SOFTMAX_ROWS]
    y, gradient = keras_values("softmax", {}, SOFTMAX_ROWS, SOFTMAX_WEIGHTS, "float64")
    y32, gradient32 = keras_values("softmax", {}, SOFTMAX_ROWS, SOFTMAX_WEIGHTS, "float32")
    return {
        "activation": "softmax",
        "keras": "softmax",
        "arguments": {},
        "x": SOFTMAX_ROWS,
        "weights": SOFTMAX_WEIGHTS,
        "exact": {"y": [e[0] for e in exact], "gradient": [e[1] for e in exact]},
        "float64": {"y": y, "gradient": gradient},
        "float32": {"y": y32, "gradient": gradient32},
    }


def generate():
    header = fixture_file.about(
        "activations",
        (*LIBRARIES, "mpmath"),
        ["float64", "float32"],
        None,
        "Against exact, and against float64 for all but gelu and leaky_relu: 1e-15 · max(|y|, 1), the rounding of a "
        "few operations near 1. An implementation with exp_m1, ln_1p and erfc can ask for 4 units in the last place "
        "of y itself. Against float32: 1e-6 · max(|y|, 1).",
        [
            "exact: 50 digits, rounded once to float64",
            "derivative: at a kink (0, ±3) the one Keras takes",
            "softmax, per row: gradient is d(Σ weights · softmax(x)) / dx",
            "float64 leaky_relu: TensorFlow rounds the slope to float32, 0.20000000298023224; exact has 0.2",
            "float64 gelu: TensorFlow rounds √2 to float32, an error of 5e-9; exact has none",
            "below about −17 in float32 and −37 in float64 Keras' elu and selu are flat, since they take exp(x) − 1",
        ],
    )
    cases = [elementwise(*row) for row in ELEMENTWISE] + [softmax()]
    fixture_file.write("activations", {"about": header, "activations": cases})
