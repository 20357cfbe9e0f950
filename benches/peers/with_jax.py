"""JAX, written by hand: an epoch of W1 and the whole fit of W2 are each one program of XLA."""

import functools

import workloads as w

options = w.options()
w.use_threads(options.threads)

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

record = w.Recorder("jax", jax.__version__, options.threads)


def first_weights(sizes):
    rng = np.random.default_rng(0)
    weights = []
    for n_inputs, n_outputs in zip(sizes, sizes[1:]):
        limit = np.sqrt(6 / (n_inputs + n_outputs))
        kernel = rng.uniform(-limit, limit, (n_inputs, n_outputs)).astype(np.float32)
        weights.append((jnp.asarray(kernel), jnp.zeros(n_outputs, jnp.float32)))
    return weights


def start(sizes):
    weights = first_weights(sizes)
    zeros = jax.tree.map(jnp.zeros_like, weights)
    return weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.float32(0)


def outputs(weights, x):
    for kernel, bias in weights[:-1]:
        x = jax.nn.relu(x @ kernel + bias)
    kernel, bias = weights[-1]
    return x @ kernel + bias


def cross_entropy(weights, x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs(weights, x)), y[:, None], 1))


def squared_error(weights, x, y):
    return jnp.mean((outputs(weights, x)[:, 0] - y) ** 2)


def step(loss, state, x, y):
    """One step of Adam."""
    weights, m, v, t = state
    value, gradient = jax.value_and_grad(loss)(weights, x, y)
    t = t + 1
    alpha = w.ADAM["learning_rate"] * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = jax.tree.map(lambda m, g: m + (g - m) * 0.1, m, gradient)
    v = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, v, gradient)
    move = lambda weight, m, v: weight - alpha * m / (jnp.sqrt(v) + w.ADAM["epsilon"])
    return (jax.tree.map(move, weights, m, v), m, v, t), value


def large():
    x, y = map(jnp.asarray, w.images())
    state, rng = start(w.LARGE), np.random.default_rng(0)

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(state, order):
        return lax.scan(lambda state, rows: step(cross_entropy, state, x[rows], y[rows]), state, order)

    def train(epochs):
        nonlocal state
        for _ in range(epochs):
            order = rng.permutation(w.IMAGES).astype(np.int32).reshape(-1, w.LARGE_BATCH)
            state, losses = epoch(state, jnp.asarray(order))
            float(losses.mean())

    return x, train, lambda: state[0]


def small():
    """A compiled fit of the small network."""
    x, y = map(jnp.asarray, w.table())
    whole = w.ROWS // w.SMALL_BATCH * w.SMALL_BATCH

    def epoch(state, order):
        batches = order[:whole].reshape(-1, w.SMALL_BATCH)
        state, _ = lax.scan(lambda state, rows: step(squared_error, state, x[rows], y[rows]), state, batches)
        rest = order[whole:]
        return step(squared_error, state, x[rest], y[rest])

    program = jax.jit(lambda state, orders: lax.scan(epoch, state, orders))

    def fit():
        rng = np.random.default_rng(0)
        orders = np.stack([rng.permutation(w.ROWS) for _ in range(w.SMALL_EPOCHS)]).astype(np.int32)
        jax.block_until_ready(program(start(w.SMALL), orders))

    return fit


def w1():
    _, train, _ = large()
    w.training_lines(record, options.repeats, lambda: train(1), lambda: train(w.TIMED_EPOCHS))


def w2():
    compiled = small()
    compiled()
    w.step_lines(record, options.repeats, lambda: small()(), compiled)


def w4():
    x, train, weights = large()
    train(1)
    program, weights = jax.jit(lambda weights, x: jax.nn.softmax(outputs(weights, x))), weights()
    many, one = np.asarray(x[: w.PREDICTED_ROWS]), np.asarray(x[:1])
    predict = lambda rows: np.asarray(program(weights, rows))
    w.prediction_lines(record, options.repeats, options.threads, lambda: predict(many), lambda: predict(one))


def w5():
    if not options.child:
        return w.first_result_lines(record, options.repeats, __file__)
    small()()
    w.report_child()


globals()[options.workload]()
