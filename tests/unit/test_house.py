"""The shape of the house: what keeps it readable, measured on the source itself."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

import gyges

ROOT = Path(gyges.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
MOST_ENTRIES, MOST_LINES, MOST_IN_A_FUNCTION, MEDIAN, USED_ONCE = 12, 400, 45, 8, 0.15
TEXTS = {"mail", "files", "replies", "slots", "pools", "prompt"}
"""Folders of a pack's own texts: a scenario has as many mails as its story needs."""


class Helper(NamedTuple):
    """A private function that its module names once. One with a decorator has to have a name."""

    place: str
    lines: int


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def _used_once(path: Path) -> list[Helper]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    named += Counter(n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute))
    private = [
        f for f in _functions(tree) if f.name.startswith("_") and not f.name.startswith("__") and not f.decorator_list
    ]
    where = path.relative_to(ROOT).as_posix()
    once = [f for f in private if named[f.name] <= 1]
    return [Helper(f"{where}:{f.lineno} {f.name}", _length(f)) for f in once]


def test_a_file_has_at_most_four_hundred_lines() -> None:
    lengths = {p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


@pytest.mark.parametrize("folder", sorted({p.parent for p in MODULES} - {ROOT}), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_folder_has_at_most_a_dozen_entries(folder: Path) -> None:
    entries = [p.name for p in folder.iterdir() if p.name not in ("__init__.py", "__pycache__")]
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_functions_are_short() -> None:
    lengths = {
        f"{p.name}:{f.lineno} {f.name}": _length(f)
        for p in MODULES
        for f in _functions(ast.parse(p.read_text(encoding="utf-8")))
    }
    assert {name: n for name, n in lengths.items() if n > MOST_IN_A_FUNCTION} == {}
    assert median(lengths.values()) <= MEDIAN


def test_few_helpers_are_used_once() -> None:
    once = [helper for path in MODULES for helper in _used_once(path)]
    functions = sum(1 for path in MODULES for _ in _functions(ast.parse(path.read_text(encoding="utf-8"))))
    assert len(once) <= USED_ONCE * functions, (
        f"{len(once)} of {functions}: {sorted(h.place for h in once if h.lines <= 4)}"
    )


def test_a_file_name_is_used_once() -> None:
    names = Counter(p.name for p in MODULES if p.name not in ("__init__.py", "__main__.py"))
    assert {name for name, n in names.items() if n > 1} == set()


def test_a_class_name_has_one_meaning() -> None:
    classes = [
        n.name
        for p in MODULES
        for n in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(n, ast.ClassDef)
    ]
    assert {name for name, n in Counter(classes).items() if n > 1 and not name.startswith("_")} == set()
