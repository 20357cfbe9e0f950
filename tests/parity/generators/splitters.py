"""Folds of scikit-learn's splitters, where their rule leaves nothing to chance."""

import warnings

import numpy as np
from sklearn import model_selection

import fixture_file

SEED = 506


def tests_of(splitter, n, labels=None, groups=None):
    """The training and test rows of every fold."""
    with warnings.catch_warnings():
        # StratifiedGroupKFold warns of small classes and divides all the same.
        warnings.simplefilter("ignore")
        folds = list(splitter.split(np.zeros(n), labels, groups))
    return [{"train": sorted(map(int, train)), "test": sorted(map(int, test))} for train, test in folds]


def case(name, arguments, n, labels=None, groups=None):
    folds = tests_of(getattr(model_selection, name)(**arguments), n, labels, groups)
    return {"splitter": name, "arguments": arguments, "n": n, "labels": labels, "groups": groups, "folds": folds}


def cases():
    draws = np.random.default_rng(SEED)
    for n, k in [(5, 2), (11, 4), (30, 7), (10, 10)]:
        yield case("KFold", {"n_splits": k}, n)
    for n, k, classes in [(11, 2, 3), (40, 3, 2), (61, 5, 4), (60, 6, 3)]:
        labels = np.sort(np.arange(n) % classes)
        draws.shuffle(labels)
        yield case("StratifiedKFold", {"n_splits": k}, n, labels.tolist())
    for n, k, groups in [(12, 2, 5), (40, 3, 9), (100, 7, 40), (60, 4, 4), (200, 5, 30), (64, 8, 16)]:
        yield case("GroupKFold", {"n_splits": k}, n, None, some_groups(draws, n, groups))
    # Every group of the same size: all is decided by the order among equals.
    yield case("GroupKFold", {"n_splits": 3}, 24, None, (np.arange(24) % 8).tolist())
    for n, k, groups, classes in [
        (20, 2, 6, 2),
        (60, 3, 12, 2),
        (60, 4, 15, 3),
        (120, 5, 25, 4),
        (200, 6, 40, 2),
        (300, 10, 33, 5),
        (90, 3, 45, 3),
        (57, 3, 57, 2),
    ]:
        labels, owners = draws.integers(0, classes, n).tolist(), some_groups(draws, n, groups)
        yield case("StratifiedGroupKFold", {"n_splits": k}, n, labels, owners)
    # Groups whose counts are the same but for their order: numpy's rounding unties some of them.
    for k, classes in [(3, 3), (4, 5), (7, 7), (3, 9), (12, 17), (2, 130)]:
        groups, rows = 4 * k, []
        for owner in range(groups):
            counts = np.arange(classes) % 4
            draws.shuffle(counts)
            rows += [(label, owner) for label in range(classes) for _ in range(counts[label])]
        draws.shuffle(rows)
        labels, owners = np.transpose(rows).tolist()
        yield case("StratifiedGroupKFold", {"n_splits": k}, len(rows), labels, owners)
    # Classes and groups that go together, and a class that is rare.
    owners = np.sort(some_groups(draws, 150, 20))
    yield case("StratifiedGroupKFold", {"n_splits": 4}, 150, (owners % 2).tolist(), owners.tolist())
    rare = (draws.uniform(size=150) < 0.08).astype(int)
    yield case("StratifiedGroupKFold", {"n_splits": 3}, 150, rare.tolist(), owners.tolist())
    yield case("LeaveOneOut", {}, 4)
    yield case("LeavePOut", {"p": 2}, 5)
    yield case("LeavePOut", {"p": 3}, 6)
    groups = some_groups(draws, 15, 5)
    yield case("LeaveOneGroupOut", {}, 15, None, groups)
    yield case("LeavePGroupsOut", {"n_groups": 2}, 15, None, groups)
    for n, arguments in [
        (7, {"n_splits": 3}),
        (12, {"n_splits": 5}),
        (30, {"n_splits": 4, "test_size": 3, "gap": 2}),
        (30, {"n_splits": 4, "max_train_size": 7}),
        (31, {"n_splits": 2, "test_size": 10, "gap": 4, "max_train_size": 3}),
    ]:
        yield case("TimeSeriesSplit", arguments, n)
    yield case("PredefinedSplit", {"test_fold": [0, 2, -1, 2, 0, 5]}, 6)


def some_groups(draws, n, groups):
    """Groups of uneven sizes, none of them empty."""
    shares = draws.dirichlet(np.full(groups, 2.0))
    drawn = np.concatenate([np.arange(groups), draws.choice(groups, n - groups, p=shares)])
    draws.shuffle(drawn)
    return drawn.tolist()


def generate():
    header = fixture_file.about(
        "splitters",
        ("scikit-learn", "numpy"),
        [],
        SEED,
        "none: the rows are the same.",
        [
            "train and test: the rows of each fold, ascending",
            "labels: classes 0, 1 … of the rows, or null; groups: the groups of the rows, or null",
            "only rules without chance: shuffle is off",
        ],
    )
    fixture_file.write("splitters", {"about": header, "cases": list(cases())})
