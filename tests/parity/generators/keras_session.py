"""Keras as these fixtures want it: TensorFlow on the CPU, one thread, plain kernels. Import this before Keras."""

import contextlib
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# oneDNN picks kernels by CPU and sums in another order; without it the float32 numbers vary less between machines.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras.src import ops

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_tensor_float_32_execution(False)
tf.config.run_functions_eagerly(True)
LIBRARIES = ("keras", "tensorflow-cpu", "numpy")


def use_dtype(dtype):
    """From here on weights, optimizer state and learning rates are of `dtype`.

    Two settings, because Keras caches the dtype policy apart from `floatx`.
    """
    keras.backend.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def in_full_precision(holder):
    """Makes a float64 run a float64 run: returns `holder`, an optimizer or schedule, with its numbers as np.float64.

    TensorFlow reads a bare Python float as float32, whatever `floatx` says: `keras.ops.cast(0.9, "float64")` gives
    0.8999999761581421. Momentum, the beta powers and weight decay would be float32 constants, and a schedule would
    compute in float32 altogether. A np.float64 passes through unrounded, and the rule's code runs as Keras wrote it.
    """

    def widen(value):
        if type(value) is float:
            return np.float64(value)
        return [widen(item) for item in value] if isinstance(value, list) else value

    if keras.backend.floatx() == "float64":
        for name, value in list(vars(holder).items()):
            if name in holder.get_config() and not isinstance(value, keras.Variable):
                setattr(holder, name, widen(value))
    return holder


@contextlib.contextmanager
def literals_in_full_precision():
    """The same for numbers written into Keras' code while this context is open: Nadam's 0.96, the 2 of log-cosh, the
    factor of L1. Changes nothing in a float32 run."""
    if keras.backend.floatx() != "float64":
        yield
        return
    cast, log, convert = ops.cast, ops.log, ops.convert_to_tensor

    def widen(x):
        return np.float64(x) if type(x) is float else x

    ops.cast = lambda x, dtype: cast(widen(x), dtype)
    ops.log = lambda x: log(widen(x))
    ops.convert_to_tensor = lambda x, *args, **kwargs: convert(widen(x), *args, **kwargs)
    try:
        yield
    finally:
        ops.cast, ops.log, ops.convert_to_tensor = cast, log, convert


def config_of(optimizer):
    """`get_config` without the automatic name; a serialised schedule keeps its class and config."""
    config = {key: value for key, value in optimizer.get_config().items() if key != "name"}
    rate = config["learning_rate"]
    if isinstance(rate, dict):
        config["learning_rate"] = {"class_name": rate["class_name"], "config": rate["config"]}
    return config
