"""Keras 3 on JAX: `compile` and `fit` with their defaults."""

import workloads as w

options = w.options()
w.use_threads(options.threads)
w.os.environ["KERAS_BACKEND"] = "jax"

import keras

keras.utils.set_random_seed(0)
record = w.Recorder("keras-jax", keras.__version__, options.threads)


def model(sizes, loss):
    layers = [keras.Input((sizes[0],)), *(keras.layers.Dense(n, "relu") for n in sizes[1:-1])]
    network = keras.Sequential([*layers, keras.layers.Dense(sizes[-1])])
    network.compile(keras.optimizers.Adam(**w.ADAM), loss)
    return network


def large():
    x, y = w.images()
    network = model(w.LARGE, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return x, network, lambda epochs: network.fit(x, y, batch_size=w.LARGE_BATCH, epochs=epochs, verbose=0)


def small():
    x, y = w.table()
    network = model(w.SMALL, "mse")
    fit = lambda: network.fit(x, y, batch_size=w.SMALL_BATCH, epochs=w.SMALL_EPOCHS, verbose=0)
    fit()
    return fit


def w1():
    _, _, train = large()
    w.training_lines(record, options.repeats, lambda: train(1), lambda: train(w.TIMED_EPOCHS))


def w2():
    w.step_lines(record, options.repeats, small, small())


def w4():
    x, network, train = large()
    train(1)
    proba = keras.Sequential([network, keras.layers.Softmax()])
    many, one = x[: w.PREDICTED_ROWS].copy(), x[:1].copy()
    predict = proba.predict_on_batch
    w.prediction_lines(record, options.repeats, options.threads, lambda: predict(many), lambda: predict(one))


def w5():
    if not options.child:
        return w.first_result_lines(record, options.repeats, __file__)
    small()
    w.report_child()


globals()[options.workload]()
