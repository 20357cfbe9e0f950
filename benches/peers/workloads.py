"""What is measured: sizes, data, clocks and the line of JSON that a measurement becomes.

A peer is a module `with_<library>.py` with one function for each workload it can do. Importing this file imports no
numerical library, because W5 counts every import.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

IMAGES, PIXELS, CLASSES = 60_000, 784, 10
LARGE = [PIXELS, 128, 128, 128, CLASSES]
LARGE_BATCH, TIMED_EPOCHS = 200, 3
ROWS, COLUMNS = 506, 13
SMALL = [COLUMNS, 64, 64, 1]
SMALL_BATCH, SMALL_EPOCHS = 32, 100
SMALL_STEPS = SMALL_EPOCHS * -(-ROWS // SMALL_BATCH)
ADAM = dict(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
STRUCTURES = [(32,), (64,), (32, 32), (64, 64)]
PREDICTED_ROWS = 10_000


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=["w1", "w2", "w3", "w4", "w5"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", action="store_true", help="the process that w5 measures")
    return parser.parse_args()


def use_threads(threads):
    """Keeps the process on so many cores, before any numerical library counts them."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < threads:
        sys.exit(f"{threads} cores are asked for, {len(cores)} are there")
    os.sched_setaffinity(0, cores[:threads])
    for library in ("OMP", "OPENBLAS", "MKL", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        name = f"{library}_THREADS" if library.startswith("TF") else f"{library}_NUM_THREADS"
        os.environ[name] = str(threads)
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", JAX_PLATFORMS="cpu", TF_CPP_MIN_LOG_LEVEL="3")


# Data: SplitMix64 read at a counter, its upper 24 bits as a fraction, exact in float32.


def uniform(seed, count):
    import numpy as np

    numbers = np.empty(count, np.float32)
    for start in range(0, count, 1 << 20):
        end = min(start + (1 << 20), count)
        with np.errstate(over="ignore"):
            z = np.uint64(seed) + np.arange(start + 1, end + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        numbers[start:end] = (z >> np.uint64(40)) / np.float32(1 << 24)
    return numbers


def images(rows=IMAGES):
    """As large as MNIST: the class is the one whose every tenth column has the largest sum."""
    import numpy as np

    x = uniform(1, rows * PIXELS).reshape(rows, PIXELS)
    sums = [x[:, k:780:CLASSES].sum(axis=1, dtype=np.float64) for k in range(CLASSES)]
    return x, np.argmax(sums, axis=0).astype(np.int32)


def table():
    """As large as Boston Housing: a target that is not linear in the columns, standardised."""
    import numpy as np

    u = uniform(2, ROWS * (COLUMNS + 1)).reshape(ROWS, -1).astype(np.float64)
    x = np.ascontiguousarray(((2 * u[:, :COLUMNS] - 1) * np.sqrt(3)), np.float32)
    t = 10 * u[:, 0] * u[:, 1] + 20 * (u[:, 2] - 0.5) ** 2 + 10 * u[:, 3] + 5 * u[:, 4] + 2 * (u[:, 13] - 0.5)
    return x, ((t - t.mean()) / t.std()).astype(np.float32)


# Measurements.


class Recorder:
    def __init__(self, peer, version, threads):
        self.about = dict(peer=peer, version=version, threads=threads)

    def emit(self, workload, metric, values, unit):
        values = [float(value) for value in values]
        numbers = dict(value=statistics.median(values), min=min(values), max=max(values))
        numbers = {name: round(value, 6) for name, value in numbers.items()}
        line = dict(workload=workload, **self.about, metric=metric, **numbers, n=len(values), unit=unit)
        print(json.dumps(line), flush=True)


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def training_lines(recorder, repeats, first, again):
    """W1: `first` is one epoch with all that is compiled, `again` three more."""
    start = seconds(first)
    rates = [IMAGES * TIMED_EPOCHS / seconds(again) for _ in range(repeats)]
    recorder.emit("mnist_shape", "train_samples_per_s", rates, "samples/s")
    recorder.emit("mnist_shape", "first_epoch_s", [start], "s")


def step_lines(recorder, repeats, new, again):
    """W2: `new` fits a model never seen, `again` one whose code is compiled."""
    first = seconds(new)
    renewed = [seconds(new) for _ in range(repeats)]
    warm = [seconds(again) for _ in range(max(repeats, 5))]
    recorder.emit("tabular_small", "step_us", [s / SMALL_STEPS * 1e6 for s in warm], "us")
    recorder.emit("tabular_small", "fit_s", warm, "s")
    recorder.emit("tabular_small", "fit_new_model_s", renewed, "s")
    recorder.emit("tabular_small", "fit_first_s", [first], "s")


def prediction_lines(recorder, repeats, threads, many, one):
    """W4: 10 000 rows in a call, and a single row."""
    many(), many()
    rates = [PREDICTED_ROWS / seconds(many) for _ in range(max(repeats, 7))]
    recorder.emit("inference", "batch_samples_per_s", rates, "samples/s")
    if threads > 1:
        return
    middle = []
    for _ in range(repeats):
        [one() for _ in range(300)]
        middle.append(statistics.median(seconds(one) for _ in range(3000)) * 1e6)
    recorder.emit("inference", "single_row_p50_us", middle, "us")


def first_result_lines(recorder, repeats, script):
    """W5: new processes, the first of which fills the cache of files."""
    fitted, ended, memory = [], [], []
    for run in range(max(repeats, 5) + 1):
        start = time.perf_counter()
        child = subprocess.Popen([sys.executable, script, "w5", "--child"], stdout=subprocess.PIPE, text=True)
        line = child.stdout.readline()
        at_fitted = time.perf_counter() - start
        if child.wait() != 0:
            sys.exit(f"{script} w5 has failed")
        if run > 0:
            fitted.append(at_fitted)
            ended.append(time.perf_counter() - start)
            memory.append(float(line))
    recorder.emit("first_result", "start_to_fitted_s", fitted, "s")
    recorder.emit("first_result", "start_to_exit_s", ended, "s")
    recorder.emit("first_result", "peak_rss_mib", memory, "MiB")


def report_child():
    """What a child of W5 says once its fit has returned: the memory it has held, in MiB."""
    import resource

    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
