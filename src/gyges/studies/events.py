"""What the person who waits hears of a running study."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Begun:
    """A step begins."""


@dataclass(frozen=True)
class Said:
    """A step says something."""

    text: str


@dataclass(frozen=True)
class Shown:
    """A step hands something to a display that knows it; others leave it alone. It must pickle."""

    what: Any


@dataclass(frozen=True)
class Ended:
    """The end of a step: its key, what went wrong (empty: nothing), the seconds it took (0: it was there already), and whether it came part of the way."""

    key: str
    problem: str
    seconds: float
    unfinished: bool = False


Event = Begun | Said | Shown | Ended
Tell = Callable[[str, Event], None]
"""Called with a step's name and what happens to it."""
