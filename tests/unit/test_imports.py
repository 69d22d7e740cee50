"""The base install works without torch, ray and trl: no module of the package loads them before they are used."""

import pkgutil
import subprocess
import sys

import gyges

HEAVY = ("torch", "ray", "trl", "transformers", "peft", "datasets", "xllamacpp")


def test_importing_every_module_loads_nothing_heavy() -> None:
    names = [m.name for m in pkgutil.walk_packages(gyges.__path__, "gyges.") if not m.name.endswith("__main__")]
    code = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nprint([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
