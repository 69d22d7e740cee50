"""Reading the files of a pack: text, YAML and front matter, with file and line for whatever is wrong."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from gyges.errors import PackError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where it is there, is ten times as fast
FENCE = "---"


def read_text(path: Path) -> str:
    """A file's text.

    Raises:
        PackError: the file is missing, cannot be read or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise PackError(str(path), "the file is missing") from None
    except OSError as error:
        raise PackError(str(path), f"the file cannot be read ({error.strerror})") from None
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PackError(f"{path}:{line}", "the text is not UTF-8; save the file in that encoding") from None


def read_yaml(path: Path) -> Any:
    """A YAML file's content.

    Raises:
        PackError: the file is missing or not YAML.
    """
    return _loaded(read_text(path), path, 1)


def read_front_matter(path: Path) -> tuple[Any, str, int]:
    """The front matter of a file, its body, and the number of lines before the body.

    Raises:
        PackError: there is no front matter, or it is not YAML.
    """
    head, body, before = _parts(path)
    return _loaded(head, path, 2) or {}, body, before


def line_of(path: Path, location: Sequence[int | str]) -> int:
    """The line of a value in a YAML file or in the front matter of a text: as far as the names and numbers lead to it.

    The file has been read as YAML before, so it is known to be some.
    """
    text, line = (_parts(path)[0], 2) if path.suffix == ".md" else (read_text(path), 1)
    node, below = yaml.compose(text, Loader=LOADER), 0
    for part in location:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((k.start_mark.line, v) for k, v in node.value if k.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part].start_mark.line, node.value[part]
        if found is None:
            break
        below, node = found
    return line + below


def scalars(path: Path) -> Iterator[tuple[int, str]]:
    """Every text in a YAML file, keys left out, with the line on which it begins."""
    yield from _scalars(yaml.compose(read_text(path), Loader=LOADER))


def line_of_text(path: Path, text: str) -> int:
    """The line on which this text begins in a YAML file; 1 if it does not stand there."""
    return next((line for line, value in scalars(path) if value == text), 1)


def problem_of(error: PackError) -> str:
    """What a pack error says, without the place."""
    return error.problem.removeprefix(f"{error.where}: ")


def _loaded(text: str, path: Path, first_line: int) -> Any:
    try:
        return yaml.load(text, Loader=LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that is none, such as 2027-02-31
        mark = getattr(error, "problem_mark", None)
        line = (mark.line if mark else 0) + first_line
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise PackError(f"{path}:{line}", f"not valid YAML ({problem})") from None


def _parts(path: Path) -> tuple[str, str, int]:
    """Front matter as text, body, and the number of lines before the body."""
    lines = read_text(path).splitlines()
    end = next((i for i, line in enumerate(lines) if i and line.strip() == FENCE), None)
    if end is None or lines[0].strip() != FENCE:
        raise PackError(f"{path}:1", f"the file must begin with front matter between two lines of {FENCE}")
    return "\n".join(lines[1:end]), "\n".join(lines[end + 1 :]).strip("\n"), end + 1


def _scalars(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _scalars(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _scalars(value)
    elif isinstance(node, yaml.ScalarNode):
        block = node.style in ("|", ">")  # its text begins on the line after the mark
        yield node.start_mark.line + (2 if block else 1), node.value
