"""scikit-learn: `MLPClassifier`, `MLPRegressor`, `GridSearchCV`."""

import warnings

import workloads as w

options = w.options()
w.use_threads(options.threads)
if options.workload == "w3":
    # A search has processes, one for each core, and each has one thread.
    w.os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
warnings.filterwarnings("ignore")


def recorder():
    import sklearn

    return w.Recorder("sklearn", sklearn.__version__, options.threads)


def settings(sizes, batch, epochs):
    """Adam as everywhere, no penalty, no stopping before the end."""
    return dict(
        hidden_layer_sizes=sizes[1:-1],
        batch_size=batch,
        max_iter=epochs,
        alpha=0.0,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        learning_rate_init=w.ADAM["learning_rate"],
        epsilon=w.ADAM["epsilon"],
        random_state=0,
    )


def small_fit():
    from sklearn.neural_network import MLPRegressor

    x, y = w.table()
    return lambda: MLPRegressor(**settings(w.SMALL, w.SMALL_BATCH, w.SMALL_EPOCHS)).fit(x, y)


def w1():
    from sklearn.neural_network import MLPClassifier

    x, y = w.images()
    # A second call of `fit` forgets Adam's moments, so that each is a new fit.
    fit = lambda epochs: MLPClassifier(**settings(w.LARGE, w.LARGE_BATCH, epochs)).fit(x, y)
    w.training_lines(recorder(), options.repeats, lambda: fit(1), lambda: fit(w.TIMED_EPOCHS))


def w2():
    fit = small_fit()
    w.step_lines(recorder(), options.repeats, fit, fit)


def w3():
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.neural_network import MLPRegressor

    x, y = w.table()
    base = settings(w.SMALL, w.SMALL_BATCH, w.SMALL_EPOCHS)
    # There is no RMSprop: 40 fits and the refit, scaled to 61.
    grid = [
        dict(solver=["sgd"], learning_rate_init=[1e-2], momentum=[0.0], hidden_layer_sizes=w.STRUCTURES),
        dict(solver=["adam"], learning_rate_init=[1e-3], hidden_layer_sizes=w.STRUCTURES),
    ]
    times = []
    for _ in range(options.repeats):
        search = GridSearchCV(
            MLPRegressor(**base), grid, scoring="neg_mean_squared_error", cv=KFold(5), n_jobs=options.threads
        )
        times.append(w.seconds(lambda: search.fit(x, y)) / 41 * 61)
    recorder().emit("grid_search", "wall_s", times, "s")


def w4():
    from sklearn.neural_network import MLPClassifier

    x, y = w.images()
    model = MLPClassifier(**settings(w.LARGE, w.LARGE_BATCH, 1)).fit(x, y)
    many, one = x[: w.PREDICTED_ROWS].copy(), x[:1].copy()
    w.prediction_lines(
        recorder(), options.repeats, options.threads, lambda: model.predict_proba(many), lambda: model.predict_proba(one)
    )


def w5():
    if not options.child:
        return w.first_result_lines(recorder(), options.repeats, __file__)
    small_fit()()
    w.report_child()


globals()[options.workload]()
