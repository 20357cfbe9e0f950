"""ONNX Runtime: predictions. Time does not depend on the weights, so they are drawn."""

import workloads as w

options = w.options()
w.use_threads(options.threads)

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

record = w.Recorder("onnxruntime", onnxruntime.__version__, options.threads)


def graph():
    rng = np.random.default_rng(0)
    nodes, weights, value = [], [], "x"
    for i, (n_inputs, n_outputs) in enumerate(zip(w.LARGE, w.LARGE[1:])):
        limit = np.sqrt(6 / (n_inputs + n_outputs))
        kernel = rng.uniform(-limit, limit, (n_inputs, n_outputs)).astype(np.float32)
        weights += [numpy_helper.from_array(kernel, f"w{i}"), numpy_helper.from_array(np.zeros(n_outputs, np.float32), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        last = i == len(w.LARGE) - 2
        nodes.append(helper.make_node("Softmax", [f"z{i}"], ["p"], axis=1) if last else helper.make_node("Relu", [f"z{i}"], [f"a{i}"]))
        value = f"a{i}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", w.PIXELS])
    p = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", w.CLASSES])
    body = helper.make_graph(nodes, "network", [x], [p], weights)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def w4():
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph(), settings, providers=["CPUExecutionProvider"])
    x, _ = w.images(w.PREDICTED_ROWS)
    one = x[:1].copy()
    predict = lambda rows: session.run(None, {"x": rows})
    w.prediction_lines(record, options.repeats, options.threads, lambda: predict(x), lambda: predict(one))


globals()[options.workload]()
