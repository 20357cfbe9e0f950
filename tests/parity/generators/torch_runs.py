"""The PyTorch half of `optimizers.json`, printed as JSON.

A process of its own: TensorFlow and PyTorch each bring an LLVM, and one process cannot hold both.
"""

import json

import fixture_file
import reference
import torch
from small_network import SNAPSHOTS, batches, data, distance, exact_path, initial_weights, layers, title

# Per row: class, arguments, the Keras run it should equal up to rounding (or null), whether Keras' rule with these
# constants is the same formula, and why.
TORCH = [
    ("SGD", {"lr": 0.01}, "SGD(learning_rate=0.01)", True, "the same formula"),
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.9},
        "SGD(learning_rate=0.1, momentum=0.9)",
        True,
        "PyTorch keeps v = μ·v + g and moves by −lr·v, Keras keeps m = μ·m − lr·g and moves by m: m = −lr·v while lr "
        "is constant, and no longer when it changes",
    ),
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        "SGD(learning_rate=0.1, momentum=0.9, nesterov=True)",
        True,
        "as for momentum; both use the look-ahead form without evaluating the gradient elsewhere",
    ),
    (
        "Adadelta",
        {"lr": 1.0},
        None,
        True,
        "the same formula (epsilon inside both roots) with PyTorch's defaults rho = 0.9, epsilon = 1e-6",
    ),
    (
        "Adam",
        {"lr": 1e-3, "eps": 1e-8},
        None,
        False,
        "PyTorch adds eps to the bias-corrected root √(v/(1−β₂ᵗ)), Keras to the raw root √v, which is Keras' epsilon "
        "divided by √(1−β₂ᵗ); also another default eps",
    ),
    (
        "AdamW",
        {"lr": 1e-3, "weight_decay": 0.01},
        None,
        False,
        "decay is the same, w −= w·wd·lr first; eps as for Adam",
    ),
    ("RMSprop", {"lr": 1e-3, "alpha": 0.9, "eps": 1e-7}, None, False, "√v + eps, where Keras has √(v + epsilon)"),
    (
        "Adagrad",
        {"lr": 0.1},
        None,
        False,
        "the accumulator starts at 0 (Keras: 0.1) and eps is outside the root (Keras: inside)",
    ),
    (
        "Adamax",
        {"lr": 2e-3},
        None,
        False,
        "u = max(β₂·u, |g| + eps), where Keras has max(β₂·u, |g|) and then u + epsilon",
    ),
    (
        "NAdam",
        {"lr": 2e-3},
        None,
        False,
        "μ_t = β₁·(1 − 0.5·0.96^(0.004·t)), where Keras has 0.96^t: Keras leaves out the factor 0.004",
    ),
]


def torch_run(name, arguments, twin, same_rule, why, dtype):
    # NAdam keeps its momentum product in the default dtype, float32 unless told, even when the weights are float64.
    torch.set_default_dtype(getattr(torch, dtype))
    x, y = (torch.tensor(a, dtype=getattr(torch, dtype)) for a in data())
    k1, b1, k2, b2 = (torch.tensor(w, dtype=x.dtype, requires_grad=True) for w in initial_weights())
    weights = [k1, b1, k2, b2]
    # `foreach=False` is the plain one-array-at-a-time path.
    optimizer = getattr(torch.optim, name)(weights, foreach=False, **arguments)
    config = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
    exact = exact_path(reference.ExactTorch(name, config))

    def loss_of(rows, targets):
        return torch.nn.functional.cross_entropy(torch.tanh(rows @ k1 + b1) @ k2 + b2, targets)

    snapshots = []
    for step, xb, yb in batches(x, y):
        optimizer.zero_grad()
        loss = loss_of(xb, yb)
        loss.backward()
        optimizer.step()
        if step in SNAPSHOTS:
            arrays = [w.detach().numpy().copy() for w in weights]
            snapshots.append(
                {
                    "step": step,
                    "batch_loss": loss.detach().numpy(),
                    "loss_after": loss_of(x, y).detach().numpy(),
                    "weights": layers(arrays),
                    "distance_to_exact": distance(arrays, exact[step]),
                }
            )
    return {
        "library": "torch",
        "optimizer": name,
        "title": title(name, arguments),
        "dtype": dtype,
        "arguments": arguments,
        "config": config,
        "same_rule_as_keras": same_rule,
        "equals_keras_run": twin,
        "why": why,
        "snapshots": snapshots,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    runs = [torch_run(*row, dtype) for dtype in ("float64", "float32") for row in TORCH]
    print(json.dumps(fixture_file.plain(runs), allow_nan=False))
