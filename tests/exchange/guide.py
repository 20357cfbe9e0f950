"""The Python programs of the guide, by the comment in their first line."""

import os
import re


def blocks(path):
    with open(path, encoding="utf-8") as guide:
        found = re.findall(r"```python\n# (.*?)\n(.*?)```", guide.read(), re.S)
    return dict(found)


def run(code, folder, names):
    """Runs a program of the guide in a folder; gives its names."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        exec(code, names)
    finally:
        os.chdir(before)
    return names
