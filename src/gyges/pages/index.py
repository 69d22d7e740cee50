"""One page that links others: each page of Gyges says in its head what it is called and what it found, and draws its main result first.

The drawing is shown as an image, in which a browser runs no script and loads nothing, whatever the page that it was taken from holds.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from gyges.errors import UserError
from gyges.files import write_whole
from gyges.pages.shell import environment, render, style

NAME = "index.html"


class Drawing(NamedTuple):
    """One image: its address, which holds all of it, what it is called, and what it shows in words."""

    address: str
    title: str
    words: str


@dataclass(frozen=True)
class PageEntry:
    """A page: where it lies, what it is called, what it found, when it was written, and its first figure, image by image."""

    path: Path
    title: str
    description: str
    written: str
    drawings: tuple[Drawing, ...]


class _Head(HTMLParser):
    """The title and the named metas of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.title, self.inside, self.over = "", False, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "title" and not self.over  # a drawing has a title of its own
        given = dict(attrs)
        if tag == "meta" and given.get("name"):
            self.metas[given["name"] or ""] = given.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        self.inside, self.over = False, self.over or tag == "head"

    def handle_data(self, data: str) -> None:
        self.title += data if self.inside else ""


HEAD = 65_536
"""Characters in which a head is looked for: several times its length, the style included."""
FIGURE = re.compile("<figure>(.*?)</figure>", re.DOTALL)
DRAWING = re.compile(
    r'(<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img"[^>]*>)(<title[^>]*>(.*?)</title><desc[^>]*>(.*?)</desc>.*?</svg>)',
    re.DOTALL,
)
MOST_DRAWN = 6


def write_contents(places: Sequence[Path], out: Path | None = None, title: str = "Contents") -> Path:
    """Write a page that links pages of Gyges, with what each found, and return where it is.

    Args:
        places: pages, or folders of which all pages are taken.
        out: the file; `index.html` in the first folder (or beside the first page) if left out.
        title: of the page.

    Raises:
        UserError: there is no page in a place, or the file cannot be written.
    """
    home = places[0] if places[0].is_dir() else places[0].parent
    out = out or home / NAME
    entries = {entry.path.resolve(): entry for place in places for entry in _entries(place, out)}
    told = f"{len(entries)} page{'s' if len(entries) != 1 else ''} of Gyges."
    shown = [(entry, os.path.relpath(entry.path, out.parent)) for entry in entries.values()]
    try:
        return write_whole(out, render(environment(), "index.html.j2", title, told, entries=shown))
    except OSError as error:
        raise UserError(f"'{out}' cannot be written: {error.strerror}", "Choose another --out") from None


def _entries(place: Path, out: Path) -> list[PageEntry]:
    """The pages in a place: the files whose head says that Gyges made them."""
    found = []
    for path in sorted(place.rglob("*.html")) if place.is_dir() else [place]:
        head = _Head()
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                head.feed(start := file.read(HEAD))
                text = start + file.read() if head.metas.get("generator") == "Gyges" else ""
        except OSError:
            continue
        if text and path.resolve() != out.resolve():
            when = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
            found.append(PageEntry(path, head.title, head.metas.get("description", ""), when, _main_result(text)))
    if not found:
        raise UserError(f"'{place}' holds no page of Gyges", "Name a page, or a folder of `gyges test` or `gyges run`")
    return found


def _main_result(page: str) -> tuple[Drawing, ...]:
    """The drawings in the first figure of a page, each with the style that it needs."""
    figure = FIGURE.search(page)
    found = [match.groups() for match in DRAWING.finditer(figure[1] if figure else "")][:MOST_DRAWN]
    return tuple(
        Drawing(
            f"data:image/svg+xml,{quote(f'{opening}<style><![CDATA[{style()}]]></style>{rest}')}",
            unescape(title),
            unescape(words),
        )
        for opening, rest, title, words in found
    )
