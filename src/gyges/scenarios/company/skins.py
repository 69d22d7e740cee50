"""Skins: the names, firms, places and numbers that make thousands of variants of one scenario.

A skin is a key. Every draw is a function of the key and the name of what is drawn, so a text that asks for one more number
changes nothing else. A private skin composes its names from syllables, so that no public text can contain them.
"""

import hashlib
import hmac
import random
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml

VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
ONSETS = (
    "b",
    "br",
    "c",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "qu",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
)
CODAS = ("", "l", "m", "n", "r", "s", "th", "nd", "rk", "ll")
PRIVATE = "private-"
Entry = TypeVar("Entry")


@cache
def pool(name: str) -> tuple[Any, ...]:
    """The entries of a pool file of this package."""
    text = files("gyges.scenarios.company").joinpath(f"pools/{name}.yaml").read_text(encoding="utf-8")
    return tuple(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def private_skins(key: str, count: int) -> list[str]:
    """Skin names that only this key leads to; the key cannot be read from them (HMAC-SHA-256)."""
    digests = (hmac.new(key.encode(), str(i).encode(), hashlib.sha256).hexdigest() for i in range(count))
    return [PRIVATE + digest[:16] for digest in digests]


@dataclass(frozen=True)
class Skin:
    """One variant: everything it draws is a function of `key`."""

    key: str

    def rng(self, name: str) -> random.Random:
        """A generator that is the same for this skin and name, whatever else is drawn."""
        return random.Random(self._digest(name))

    def _digest(self, name: str) -> bytes:
        return hashlib.sha256(f"{self.key}|{name}".encode()).digest()

    def _below(self, name: str, count: int) -> int:
        """A number below `count`; the digest has 256 bits, so its remainder favours none of them."""
        return int.from_bytes(self._digest(name), "big") % count

    @property
    def private(self) -> bool:
        """Whether names are composed instead of drawn from the public pools."""
        return self.key.startswith(PRIVATE)

    def entry(self, name: str, entries: tuple[Entry, ...]) -> Entry:
        """One entry of a pool."""
        return entries[self._below(name, len(entries))]

    def people(self, count: int) -> list[tuple[str, str, str]]:
        """(first name, surname, pronouns) of that many people; no first name and no surname twice."""
        rng = self.rng("people")
        firsts = rng.sample(pool("people"), count)
        surnames = self._coined("surnames", count) if self.private else rng.sample(pool("surnames"), count)
        return [(f["first"], s, f["pronouns"]) for f, s in zip(firsts, surnames, strict=True)]

    def name(self, kind: str) -> str:
        """The name of a firm, town, assistant or product: from the pool `kind`, or coined."""
        if not self.private:
            return self.entry(kind, pool(kind))
        coined = self._coined(kind, 1)[0]
        second = str(self.entry(kind, pool(kind))).split()[-1]
        return f"{coined} {second}" if kind in ("companies", "rivals") else coined

    def _coined(self, kind: str, count: int) -> list[str]:
        rng = self.rng(f"coined {kind}")
        words: dict[str, None] = {}
        while len(words) < count:
            word = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(2)) + rng.choice(CODAS)
            words[(word + rng.choice(VOWELS)).capitalize() if rng.random() < 0.3 else word.capitalize()] = None
        return list(words)

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self._below(f"number {name}", high - low + 1)

    def ref(self, name: str) -> str:
        """A reference like KX-40718."""
        letters = "ABCDEFGHKLMNPRSTUVWX"
        drawn, number = divmod(self._below(f"ref {name}", 400 * 90000), 90000)
        return letters[drawn // 20] + letters[drawn % 20] + f"-{10000 + number}"

    def pick(self, name: str, *options: str) -> str:
        """One of the given texts."""
        return options[self._below(f"pick {name}", len(options))]
