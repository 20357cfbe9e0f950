"""Runs every NAME.onnx of a folder, and compares it with the outputs in NAME.json: python onnx_runs.py FOLDER GUIDE

Prints one JSON object: for each file the largest difference of numbers, relative to the largest of their column above 1, and
how many whole numbers differ.
"""

import glob
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

import guide

folder, programs = sys.argv[1], guide.blocks(sys.argv[2])
seen = {}
for path in sorted(glob.glob(os.path.join(folder, "*.onnx"))):
    name = os.path.basename(path)[:-5]
    with open(path[:-5] + ".json", encoding="utf-8") as file:
        expected = json.load(file)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    kind = model.graph.input[0].type.tensor_type.elem_type
    x = np.array(expected["x"], dtype=np.float32 if kind == onnx.TensorProto.FLOAT else np.float64)
    runtime = "onnxruntime"
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(path, options)
        run = lambda x: dict(zip([o.name for o in session.get_outputs()], session.run(None, {"x": x})))
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        # Not every operator has a kernel for double.
        runtime, evaluator = "reference", ReferenceEvaluator(model)
        run = lambda x: dict(zip(evaluator.output_names, evaluator.run(None, {"x": x})))
    outputs = run(x)
    one = run(x[:1])
    report = {"runtime": runtime, "numbers": 0.0, "labels": 0, "rows": len(x)}
    for key, values in expected["outputs"].items():
        found, wanted = outputs[key], np.array(values)
        assert found.shape == wanted.shape, (name, key, found.shape, wanted.shape)
        assert one[key].shape[0] == 1 and np.allclose(one[key], found[:1], rtol=1e-5, atol=1e-6), (name, key)
        if found.dtype.kind == "i":
            report["labels"] += int((found != wanted).sum())
        else:
            # A target of a regression is rounded relative to its column, not to itself.
            off = np.abs(found.astype(np.float64) - wanted) / (1.0 + np.abs(wanted).max(axis=0))
            report["numbers"] = max(report["numbers"], float(off.max()))
    if name == "model":
        names = guide.run(programs["onnxruntime"], folder, {"x": x})
        assert np.array_equal(names["labels"], outputs["label"])
        assert np.array_equal(names["probabilities"], outputs["probabilities"])
        report["guide"] = True
    seen[name] = report
print(json.dumps(seen))
