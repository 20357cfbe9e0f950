"""Fits small models of scikit-learn, Keras and PyTorch, and writes them by the programs of the guide.

python generate.py FOLDER ../../src/guide/exchange.md

Writes NAME.safetensors and NAME.json: x, what the library predicts for it, the versions. Of scikit-learn and PyTorch the same
versions write the same bytes; Keras' backend is that of KERAS_BACKEND. A library that is missing is left out.
"""

import json
import os
import shutil
import sys
import tempfile
import warnings

import numpy as np
import safetensors
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

import guide
from backend import keras, torch

warnings.simplefilter("ignore")
folder, programs = sys.argv[1], guide.blocks(sys.argv[2])
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(7)
VERSIONS = {m.__name__: m.__version__ for m in (sklearn, keras, torch, safetensors, np) if m}


def write(name, program, names, about):
    with tempfile.TemporaryDirectory() as there:
        guide.run(programs[f"from {program}"], there, names)
        written = {"scikit-learn": "sklearn", "Keras": "keras", "PyTorch": "pytorch"}[program] + ".safetensors"
        shutil.copyfile(os.path.join(there, written), os.path.join(folder, name + ".safetensors"))
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
        json.dump({"about": {"libraries": VERSIONS, "generator": "tests/exchange/generate.py"}} | about, file)


x = rng.normal(size=(40, 4)).round(3)
signal = x[:, 0] + 0.5 * x[:, 1] ** 2 - x[:, 2]
three = np.digitize(signal, [-0.5, 0.8]) * 2 + 1
mlp = MLPClassifier(hidden_layer_sizes=(8, 5), activation="relu", max_iter=60, random_state=1).fit(x, three)
write("sklearn_classifier", "scikit-learn", {"mlp": mlp},
      {"x": x.tolist(), "y": mlp.predict_proba(x).tolist(), "labels": mlp.predict(x).tolist()})
two = np.where(signal > 0, "yes", "no")
mlp = MLPClassifier(hidden_layer_sizes=(6,), activation="logistic", max_iter=60, random_state=2).fit(x, two)
write("sklearn_binary", "scikit-learn", {"mlp": mlp},
      {"x": x.tolist(), "y": mlp.predict_proba(x).tolist(), "labels": mlp.predict(x).tolist()})
many = np.stack([signal > 0, x[:, 3] > 0, x[:, 1] > 0.3], axis=1).astype(int)
mlp = MLPClassifier(hidden_layer_sizes=(7,), activation="identity", max_iter=60, random_state=3).fit(x, many)
write("sklearn_multilabel", "scikit-learn", {"mlp": mlp},
      {"x": x.tolist(), "y": mlp.predict_proba(x).tolist(), "labels": mlp.predict(x).tolist()})
mlp = MLPRegressor(hidden_layer_sizes=(9, 4), activation="tanh", max_iter=60, random_state=4)
mlp.fit(x, np.stack([signal, x[:, 3]], axis=1))
write("sklearn_regressor", "scikit-learn", {"mlp": mlp}, {"x": x.tolist(), "y": mlp.predict(x).tolist()})

x = rng.normal(size=(64, 5)).round(3).astype(np.float32)
y = np.digitize(x[:, 0] - x[:, 1], [-0.7, 0.7])
if keras:
    L = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((5,)),
        L.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
        L.Dropout(0.2),
        L.Dense(7, use_bias=False),
        L.BatchNormalization(momentum=0.8),
        L.Activation("tanh"),
        L.LayerNormalization(epsilon=1e-4),
        L.GaussianNoise(0.1),
        L.Dense(6, activation="gelu"),
        L.Dense(6),
        L.LeakyReLU(negative_slope=0.15),
        L.Dense(3, activation="softmax", bias_regularizer=keras.regularizers.L1(1e-3)),
    ])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=5, verbose=0)
    write("keras", "Keras", {"model": model}, {"x": x.tolist(), "y": np.asarray(model.predict(x, verbose=0)).tolist()})
    names = ["linear", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "sigmoid", "hard_sigmoid", "tanh",
             "softmax", "exponential"]
    model = keras.Sequential([keras.Input((5,))] + [L.Dense(4, activation=name, bias_initializer="ones") for name in names])
    write("keras_activations", "Keras", {"model": model},
          {"x": x.tolist(), "y": np.asarray(model.predict(x, verbose=0)).tolist(), "activations": names})

if torch:
    torch.manual_seed(1)
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(8, 7, bias=False), nn.LayerNorm(7), nn.GELU(), nn.Linear(7, 6), nn.ELU(0.7), nn.Identity(), nn.Linear(6, 3),
    )
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(torch.tensor(x)), torch.tensor(y)).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        sums = model(torch.tensor(x))
        write("pytorch", "PyTorch", {"model": model},
              {"x": x.tolist(), "y": sums.numpy().tolist(), "softmax": torch.softmax(sums, 1).numpy().tolist()})
    modules = [nn.LeakyReLU(0.05), nn.SELU(), nn.SiLU(), nn.Softplus(), nn.Softsign(), nn.Sigmoid(), nn.Hardsigmoid(), nn.Tanh(),
               nn.Softmax(dim=1)]
    model = nn.Sequential(*[part for module in modules for part in (nn.Linear(5, 5), module)]).double()
    with torch.no_grad():
        write("pytorch_activations", "PyTorch", {"model": model},
              {"x": x.tolist(), "y": model(torch.tensor(x).double()).numpy().tolist()})

print(json.dumps(VERSIONS))
