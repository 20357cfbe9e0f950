"""PyTorch: eager mode, the fused Adam, batches by index."""

import workloads as w

options = w.options()
w.use_threads(options.threads)

import torch

torch.set_num_threads(options.threads)
torch.manual_seed(0)
record = w.Recorder("pytorch", torch.__version__, options.threads)


def network(sizes):
    layers = []
    for n_inputs, n_outputs in zip(sizes, sizes[1:]):
        layer = torch.nn.Linear(n_inputs, n_outputs)
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def trainer(x, y, sizes, batch, loss):
    """A function that trains a new network for some epochs more."""
    model = network(sizes)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=w.ADAM["learning_rate"], betas=(0.9, 0.999), eps=w.ADAM["epsilon"], fused=True
    )

    def train(epochs):
        for _ in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad(set_to_none=True)
                value = loss(model(x[rows]), y[rows])
                value.backward()
                optimizer.step()
                total += float(value.detach()) * len(rows)

    return train, model


def large():
    x, y = w.images()
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    return x, *trainer(x, y, w.LARGE, w.LARGE_BATCH, torch.nn.functional.cross_entropy)


def small():
    x, y = w.table()
    x, y = torch.from_numpy(x), torch.from_numpy(y)[:, None]
    train, _ = trainer(x, y, w.SMALL, w.SMALL_BATCH, torch.nn.functional.mse_loss)
    train(w.SMALL_EPOCHS)
    return train


def w1():
    _, train, _ = large()
    w.training_lines(record, options.repeats, lambda: train(1), lambda: train(w.TIMED_EPOCHS))


def w2():
    train = small()
    w.step_lines(record, options.repeats, small, lambda: train(w.SMALL_EPOCHS))


def w4():
    x, train, model = large()
    train(1)
    many, one = x[: w.PREDICTED_ROWS].clone(), x[:1].clone()

    @torch.inference_mode()
    def predict(rows):
        return torch.softmax(model(rows), 1)

    w.prediction_lines(record, options.repeats, options.threads, lambda: predict(many), lambda: predict(one))


def w5():
    if not options.child:
        return w.first_result_lines(record, options.repeats, __file__)
    small()
    w.report_child()


globals()[options.workload]()
