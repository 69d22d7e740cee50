"""Files and names of files: written whole or not at all, linked where the disk has links."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Write a text file, whole or not at all; its folder is made. Gives the path."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path`, to be written in the block; it takes the place of `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    yield part
    part.replace(path)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """The name of a folder beside `folder`, to be made in the block; it takes the place of `folder` when the block ends without an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    yield part
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """The same file in another place: as a link, or as a copy where the disk has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def slug(name: str, most: int = 60) -> str:
    """A name as a part of a path or an address: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:most]
