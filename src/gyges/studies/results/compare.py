"""Why two results differ: the fields, texts and code in which they or anything they depend on are not the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gyges.studies.results.store import ResultRecord, Store


@dataclass(frozen=True)
class Differing:
    """One place in which two results differ: `where` is the way to it, `a` and `b` the two values as text."""

    where: str
    a: str
    b: str


def differences(a: str, b: str, store: Store) -> list[Differing]:
    """What differs between two results of a store, followed through what they depend on.

    Args:
        a: the key of a result, or its beginning.
        b: the key of another.
        store: where both are.

    Raises:
        UserError: there is no such result.
    """
    return list(_records(store.find(a), store.find(b), store, ""))


def _records(a: ResultRecord, b: ResultRecord, store: Store, way: str) -> Iterator[Differing]:
    if a.key == b.key:
        return
    kinds = a.identity["kind"], b.identity["kind"]
    if kinds[0] != kinds[1]:
        yield Differing(way or "kind", *kinds)
        return
    here = f"{way}{kinds[0]}"
    yield from _values(a.values, b.values, store, here)
    yield from _plain(a.identity["content"], b.identity["content"], f"{here} content")
    yield from _plain({"version": a.identity["version"]}, {"version": b.identity["version"]}, here)
    yield from _plain(_code(a), _code(b), f"{here} made by")


def _values(a: Mapping[str, Any], b: Mapping[str, Any], store: Store, here: str) -> Iterator[Differing]:
    """Fields that differ; where both hold a step, the difference lies further up."""
    for name in sorted({*a, *b}):
        x, y = a.get(name), b.get(name)
        if x == y:
            continue
        if isinstance(x, Mapping) and isinstance(y, Mapping) and set(x) == set(y) == {"step"}:
            yield from _records(store.find(x["step"]), store.find(y["step"]), store, f"{here}.{name} > ")
        elif isinstance(x, Mapping) and isinstance(y, Mapping):
            yield from _values(x, y, store, f"{here}.{name}")
        elif isinstance(x, list) and isinstance(y, list) and len(x) == len(y):
            yield from _values(_numbered(x), _numbered(y), store, f"{here}.{name}")
        else:
            yield Differing(f"{here}.{name}", _text(x), _text(y))


def _plain(a: Mapping[str, Any], b: Mapping[str, Any], here: str) -> Iterator[Differing]:
    for name in sorted({*a, *b}):
        if a.get(name) != b.get(name):
            yield Differing(f"{here} {name}", _text(a.get(name)), _text(b.get(name)))


def _code(record: ResultRecord) -> dict[str, Any]:
    made = record.provenance
    return {"source": made.get("source"), "git": made.get("git"), **made.get("packages", {})}


def _numbered(values: list[Any]) -> dict[str, Any]:
    return {str(i): v for i, v in enumerate(values)}


def _text(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
