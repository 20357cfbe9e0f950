"""Keras on whichever backend there is, and PyTorch: None where they are missing."""

import importlib.util
import os

there = [name for name in ("torch", "jax", "tensorflow") if importlib.util.find_spec(name)]
keras = torch = None
if there and importlib.util.find_spec("keras"):
    os.environ.setdefault("KERAS_BACKEND", there[0])
    import keras
if "torch" in there:
    import torch
