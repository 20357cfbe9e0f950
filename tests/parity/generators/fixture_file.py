"""How a fixture becomes a file: one JSON document, numbers as the shortest text that reads back to the same value."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent


def about(name, libraries, dtype, seed, tolerance, notes=()):
    """The header every fixture starts with: who made it, with what, and how closely to compare."""
    return {
        "libraries": {library: version(library).split("+")[0] for library in libraries},
        "generator": f"tests/parity/generate.py {name}",
        "dtype": dtype,
        "seed": seed,
        "tolerance": tolerance,
        "notes": list(notes),
    }


def plain(value):
    """Python lists and floats for arrays, tensors and numpy scalars.

    A float32 becomes the double nearest to its own shortest text, so that "0.1" and not "0.10000000149011612" is
    written. Reading that text as a double and rounding it to float32 gives the value back; this is checked here.
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    array = np.asarray(value)
    if array.ndim:
        return [plain(item) for item in array]
    scalar = array[()]
    if isinstance(scalar, np.float32):
        text = float(str(scalar))
        assert np.float32(text) == scalar or np.isnan(scalar)
        return text
    return scalar.item()


def write(name, document):
    """Writes `<name>.json` beside the generator: maps over several lines, a list of numbers on one."""
    path = FOLDER / f"{name}.json"
    path.write_text(_text(plain(document), "") + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _text(value, indent):
    inner = indent + " "
    if isinstance(value, dict) and value:
        rows = [f"{inner}{json.dumps(key)}: {_text(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value):
        return "[\n" + ",\n".join(inner + _text(item, inner) for item in value) + f"\n{indent}]"
    # JSON has no text for infinities and NaN; a fixture that holds one is a mistake, so this raises.
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
