"""Files that a kill leaves whole or as they were."""

from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Write a text file, whole or not at all; its folder is made. Gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path
