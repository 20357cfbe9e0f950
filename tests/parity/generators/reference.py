"""Keras' optimizers and the small softmax network once more, in plain numpy and any precision.

Two uses: the generators run it in 80-bit floats to say how far a library's own rounding has carried it, and the
self-test compares every stored trajectory with it.
"""

import math

import numpy as np


class Exact:
    """One Keras optimizer over a list of arrays, in the dtype of those arrays.

    `config` is the argument list given to Keras with the defaults filled in. State per array is a dict.
    """

    def __init__(self, name, config, schedule=None):
        self.rule = getattr(self, "_" + name.lower())
        self.config = config
        self.schedule = schedule
        self.calls = 0
        self.state = None

    def apply(self, gradients, arrays):
        c = self.config
        if self.state is None:
            self.state = [{} for _ in arrays]
            self.accumulated = [np.zeros_like(a) for a in arrays]
            self.average = [np.zeros_like(a) for a in arrays]
            self.u_product = 1.0
        every = c.get("gradient_accumulation_steps") or 1
        self.accumulated = [sum_ + g for sum_, g in zip(self.accumulated, gradients)]
        if (self.calls + 1) % every == 0:
            mean = [sum_ / every for sum_ in self.accumulated]
            self.accumulated = [np.zeros_like(a) for a in arrays]
            self._update(self._clip(mean), arrays)
        if c.get("use_ema"):
            # Keras looks at the count of *updates* before this call; while it is zero the average is a copy.
            momentum = c["ema_momentum"] if self.calls // every else 0.0
            self.average = [momentum * mean + (1 - momentum) * a for mean, a in zip(self.average, arrays)]
        self.calls += 1

    def _clip(self, gradients):
        c = self.config
        if c.get("clipnorm"):
            return [g * c["clipnorm"] / max(np.sqrt(np.sum(g * g)), c["clipnorm"]) for g in gradients]
        if c.get("global_clipnorm"):
            norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
            return [g * min(1, c["global_clipnorm"] / norm) for g in gradients]
        if c.get("clipvalue"):
            return [np.clip(g, -c["clipvalue"], c["clipvalue"]) for g in gradients]
        return gradients

    def _update(self, gradients, arrays):
        # The schedule sees every call, the rule's own step counts updates only.
        rate = self.schedule(self.calls) if self.schedule else self.config["learning_rate"]
        step = self.calls // (self.config.get("gradient_accumulation_steps") or 1) + 1
        dtype = arrays[0].dtype.type
        for array, g, state in zip(arrays, gradients, self.state):
            if self.config.get("weight_decay") is not None:
                array -= array * dtype(self.config["weight_decay"]) * dtype(rate)
            self.rule(array, g, state, dtype(rate), dtype(step))

    def _sgd(self, w, g, s, rate, step):
        c = self.config
        if not c["momentum"]:
            w -= g * rate
            return
        m = s["m"] = s.get("m", 0 * w) * c["momentum"] - g * rate
        w += m * c["momentum"] - g * rate if c["nesterov"] else m

    def _moments(self, g, s):
        c = self.config
        m = s["m"] = s.get("m", 0 * g) + (g - s.get("m", 0 * g)) * (1 - c["beta_1"])
        v = s["v"] = s.get("v", 0 * g) + (g * g - s.get("v", 0 * g)) * (1 - c["beta_2"])
        return m, v

    def _adam(self, w, g, s, rate, step):
        c = self.config
        m, v = self._moments(g, s)
        alpha = rate * np.sqrt(1 - w.dtype.type(c["beta_2"]) ** step) / (1 - w.dtype.type(c["beta_1"]) ** step)
        if c["amsgrad"]:
            v = s["v_max"] = np.maximum(s.get("v_max", 0 * v), v)
        w -= m * alpha / (np.sqrt(v) + c["epsilon"])

    _adamw = _adam

    def _nadam(self, w, g, s, rate, step):
        c, real = self.config, w.dtype.type
        u = c["beta_1"] * (1 - 0.5 * real(0.96) ** step)
        u_next = c["beta_1"] * (1 - 0.5 * real(0.96) ** (step + 1))
        product = s["product"] = s.get("product", real(1)) * u
        m, v = self._moments(g, s)
        m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
        v_hat = v / (1 - real(c["beta_2"]) ** step)
        w -= m_hat * rate / (np.sqrt(v_hat) + c["epsilon"])

    def _adamax(self, w, g, s, rate, step):
        c = self.config
        m = s["m"] = s.get("m", 0 * g) + (g - s.get("m", 0 * g)) * (1 - c["beta_1"])
        u = s["u"] = np.maximum(c["beta_2"] * s.get("u", 0 * g), np.abs(g))
        w -= rate * m / ((1 - w.dtype.type(c["beta_1"]) ** step) * (u + c["epsilon"]))

    def _rmsprop(self, w, g, s, rate, step):
        c, rho = self.config, self.config["rho"]
        v = s["v"] = rho * s.get("v", 0 * g) + (1 - rho) * g * g
        if c["centered"]:
            mean = s["mean"] = rho * s.get("mean", 0 * g) + (1 - rho) * g
            v = v - mean * mean
        increment = rate * g / np.sqrt(v + c["epsilon"])
        if c["momentum"]:
            increment = s["m"] = c["momentum"] * s.get("m", 0 * g) + increment
        w -= increment

    def _adagrad(self, w, g, s, rate, step):
        c = self.config
        total = s["total"] = s.get("total", 0 * g + c["initial_accumulator_value"]) + g * g
        w -= rate * g / np.sqrt(total + c["epsilon"])

    def _adadelta(self, w, g, s, rate, step):
        c, rho = self.config, self.config["rho"]
        squares = s["squares"] = rho * s.get("squares", 0 * g) + (1 - rho) * g * g
        moved = s.get("moved", 0 * g)
        delta = -np.sqrt(moved + c["epsilon"]) * g / np.sqrt(squares + c["epsilon"])
        s["moved"] = rho * moved + (1 - rho) * delta * delta
        w += rate * delta

    def _lion(self, w, g, s, rate, step):
        c = self.config
        m = s.get("m", 0 * g)
        w -= rate * np.sign(m * c["beta_1"] + g * (1 - c["beta_1"]))
        s["m"] = m * c["beta_2"] + g * (1 - c["beta_2"])


class ExactTorch:
    """PyTorch's rules where they differ from Keras', same interface."""

    def __init__(self, name, config):
        self.rule = getattr(self, "_" + name.lower())
        self.config = config
        self.step = 0
        self.state = None

    def apply(self, gradients, arrays):
        if self.state is None:
            self.state = [{} for _ in arrays]
        self.step += 1
        for array, g, state in zip(arrays, gradients, self.state):
            self.rule(array, g, state, array.dtype.type(self.step))

    def _sgd(self, w, g, s, t):
        c = self.config
        if c["momentum"]:
            m = s["m"] = c["momentum"] * s["m"] + g if "m" in s else g
            g = g + c["momentum"] * m if c["nesterov"] else m
        w -= c["lr"] * g

    def _moments(self, g, s):
        b1, b2 = self.config["betas"]
        m = s["m"] = b1 * s.get("m", 0 * g) + (1 - b1) * g
        v = s["v"] = b2 * s.get("v", 0 * g) + (1 - b2) * g * g
        return m, v

    def _adam(self, w, g, s, t):
        c, (b1, b2), real = self.config, self.config["betas"], w.dtype.type
        m, v = self._moments(g, s)
        w -= c["lr"] * (m / (1 - real(b1) ** t)) / (np.sqrt(v / (1 - real(b2) ** t)) + c["eps"])

    def _adamw(self, w, g, s, t):
        w -= w * self.config["lr"] * self.config["weight_decay"]
        self._adam(w, g, s, t)

    def _nadam(self, w, g, s, t):
        c, (b1, b2), real = self.config, self.config["betas"], w.dtype.type
        u = b1 * (1 - 0.5 * real(0.96) ** (t * real(c["momentum_decay"])))
        u_next = b1 * (1 - 0.5 * real(0.96) ** ((t + 1) * real(c["momentum_decay"])))
        product = s["product"] = s.get("product", real(1)) * u
        m, v = self._moments(g, s)
        denominator = np.sqrt(v / (1 - real(b2) ** t)) + c["eps"]
        w -= c["lr"] * ((1 - u) / (1 - product) * g + u_next / (1 - product * u_next) * m) / denominator

    def _adamax(self, w, g, s, t):
        c, (b1, b2), real = self.config, self.config["betas"], w.dtype.type
        m = s["m"] = b1 * s.get("m", 0 * g) + (1 - b1) * g
        u = s["u"] = np.maximum(b2 * s.get("u", 0 * g), np.abs(g) + c["eps"])
        w -= c["lr"] / (1 - real(b1) ** t) * m / u

    def _rmsprop(self, w, g, s, t):
        c = self.config
        v = s["v"] = c["alpha"] * s.get("v", 0 * g) + (1 - c["alpha"]) * g * g
        w -= c["lr"] * g / (np.sqrt(v) + c["eps"])

    def _adagrad(self, w, g, s, t):
        c = self.config
        total = s["total"] = s.get("total", 0 * g + c["initial_accumulator_value"]) + g * g
        w -= c["lr"] * g / (np.sqrt(total) + c["eps"])

    def _adadelta(self, w, g, s, t):
        c = self.config
        squares = s["squares"] = c["rho"] * s.get("squares", 0 * g) + (1 - c["rho"]) * g * g
        moved = s.get("moved", 0 * g)
        delta = np.sqrt(moved + c["eps"]) / np.sqrt(squares + c["eps"]) * g
        s["moved"] = c["rho"] * moved + (1 - c["rho"]) * delta * delta
        w -= c["lr"] * delta


def schedule(class_name, config):
    """The learning rate after `step` calls, step counted from 0, as a function."""
    c = config

    def rate(step):
        if class_name == "PiecewiseConstantDecay":
            return c["values"][sum(step > boundary for boundary in c["boundaries"])]
        start = c["initial_learning_rate"]
        if class_name == "ExponentialDecay":
            p = step / c["decay_steps"]
            return start * c["decay_rate"] ** (math.floor(p) if c["staircase"] else p)
        if class_name == "PolynomialDecay":
            p = min(step, c["decay_steps"]) / c["decay_steps"]
            return (start - c["end_learning_rate"]) * (1 - p) ** c["power"] + c["end_learning_rate"]
        if class_name == "InverseTimeDecay":
            return start / (1 + c["decay_rate"] * step / c["decay_steps"])
        if class_name == "CosineDecay":
            target, warmup = c["warmup_target"], c["warmup_steps"]
            if target is not None and step < warmup:
                return (target - start) * step / warmup + start
            top, done = (start, step) if target is None else (target, step - warmup)
            cosine = 0.5 * (1 + math.cos(math.pi * min(done, c["decay_steps"]) / c["decay_steps"]))
            return top * ((1 - c["alpha"]) * cosine + c["alpha"])
        if class_name == "CosineDecayRestarts":
            length, amplitude, done = c["first_decay_steps"], 1.0, step
            while done >= length:
                done, length, amplitude = done - length, length * c["t_mul"], amplitude * c["m_mul"]
            cosine = 0.5 * amplitude * (1 + math.cos(math.pi * done / length))
            return start * ((1 - c["alpha"]) * cosine + c["alpha"])
        raise KeyError(class_name)

    return rate


def loss_and_gradients(weights, x, y):
    """A tanh layer, a softmax layer, mean cross-entropy. `weights` is kernel, bias, kernel, bias."""
    k1, b1, k2, b2 = weights
    a = np.tanh(x @ k1 + b1)
    z = a @ k2 + b2
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    delta = (np.exp(log_p) - y) / len(x)
    back = (delta @ k2.T) * (1 - a * a)
    gradients = [x.T @ back, back.sum(axis=0), a.T @ delta, delta.sum(axis=0)]
    return -(y * log_p).sum(axis=1).mean(), gradients
