"""A closed language of programs of a few words that reads like Python, and the machine that runs them.

    program    := statement { ";" statement }
    statement  := "return" expression | name "=" expression | "exit" "(" expression ")"
    expression := product { ("+" | "-") product }
    product    := atom { "*" atom }
    atom       := number | name

No loops and no calls but `exit`, so every program ends; nothing of Python is executed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import add, mul, sub
from typing import Any

SYNTAX = frozenset(("return", "exit", "(", ")", "=", ";", "+", "-", "*"))
_SUMS, _PRODUCTS = {"+": add, "-": sub}, {"*": mul}


class Broken(Exception):
    """The program has no meaning, or failed while it ran."""


class Exited(Exception):
    """The program called `exit`; `status` is what it gave to it."""

    def __init__(self, status: Any) -> None:
        super().__init__(status)
        self.status = status


class Anything:
    """An object that says it is equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Machine:
    """Runs one program once. `memory` holds the names in reach; `read` collects those that the program looked at."""

    memory: dict[str, Any]

    def __post_init__(self) -> None:
        self.read: set[str] = set()

    def run(self, source: str) -> Any:
        """The value that the program returns; None when it ends without returning.

        Raises:
            Broken: it is not a program, uses an unknown name or calculates with something that is not a number.
            Exited: it called `exit`.
        """
        for words in _statements(source.split()):
            if words[0] == "return":
                return self._value(words[1:])
            if words[:2] == ["exit", "("] and words[-1] == ")":
                raise Exited(self._value(words[2:-1]))
            if len(words) < 3 or words[1] != "=" or not words[0].isidentifier() or words[0] in SYNTAX:
                raise Broken(f"'{' '.join(words)}' is not a statement")
            self.memory[words[0]] = self._value(words[2:])
        return None

    def _value(self, words: list[str]) -> Any:
        return self._chain(words, _SUMS, lambda part: self._chain(part, _PRODUCTS, self._atom))

    def _chain(self, words: list[str], operations: Mapping[str, Any], inner: Any) -> Any:
        """What stands between operations of one rank, joined from the left."""
        cuts = [i for i, w in enumerate(words) if w in operations]
        value = inner(words[: cuts[0]] if cuts else words)
        for cut, end in zip(cuts, [*cuts[1:], len(words)], strict=False):
            value = operations[words[cut]](_number(value), _number(inner(words[cut + 1 : end])))
        return value

    def _atom(self, words: list[str]) -> Any:
        if len(words) != 1:
            raise Broken(f"'{' '.join(words)}' is not a value")
        if words[0].isdecimal():
            return int(words[0])
        if words[0] not in self.memory:
            raise Broken(f"'{words[0]}' is not defined")
        self.read.add(words[0])
        return self.memory[words[0]]


def _statements(words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        parts.append([]) if word == ";" else parts[-1].append(word)
    if not all(parts):
        raise Broken("an empty statement")
    return parts


def _number(value: Any) -> int:
    if type(value) is not int:
        raise Broken("calculates with something that is not a number")
    return value
