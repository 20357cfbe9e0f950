"""Puts weights of save_weights into models of scikit-learn, Keras and PyTorch by the programs of the guide, and predicts.

python read_back.py FOLDER GUIDE

FOLDER has model.safetensors and rows.json {x, sizes}; prints {library: predictions} of the libraries there are. Then writes doubled.safetensors, the same
tensors times 2, for load_weights.
"""

import json
import os
import sys
import warnings

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sklearn.neural_network import MLPRegressor

import guide
from backend import keras, torch

warnings.simplefilter("ignore")
folder, programs = sys.argv[1], guide.blocks(sys.argv[2])
with open(os.path.join(folder, "rows.json"), encoding="utf-8") as file:
    about = json.load(file)
x = np.array(about["x"], dtype=np.float32)
inputs, *sizes, outputs = about["sizes"]

mlp = MLPRegressor(hidden_layer_sizes=sizes, activation="tanh", max_iter=1)
mlp.fit(np.zeros((8, inputs)), np.zeros((8, outputs)) if outputs > 1 else np.zeros(8))
guide.run(programs["weights into scikit-learn"], folder, {"mlp": mlp})

found = {"sklearn": mlp.predict(x).reshape(len(x), -1)}

if keras:
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((inputs,))] + [dense(n, activation="tanh") for n in sizes] + [dense(outputs)])
    guide.run(programs["weights into Keras"], folder, {"model": model})
    found["keras"] = np.asarray(model.predict(x, verbose=0))

if torch:
    nn, widths = torch.nn, [inputs] + sizes
    layers = [part for a, b in zip(widths, sizes) for part in (nn.Linear(a, b), nn.Tanh())]
    net = nn.Sequential(*layers, nn.Linear(widths[-1], outputs))
    guide.run(programs["weights into PyTorch"], folder, {"model": net})
    with torch.no_grad():
        found["pytorch"] = net(torch.tensor(x)).numpy()

path = os.path.join(folder, "model.safetensors")
with safe_open(path, "numpy") as file:
    metadata = file.metadata()
doubled = {name: 2 * values for name, values in load_file(path).items()}
save_file(doubled, os.path.join(folder, "doubled.safetensors"), metadata={"by": "read_back.py"})
print(json.dumps({name: values.tolist() for name, values in found.items()} | {"metadata": metadata}))
