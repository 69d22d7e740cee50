"""What a server says instead of answering, in words that may be printed: no markup, no keys, no passwords."""

import html
import json
import math
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MOST_WORDS = 120
"""Characters of a bad answer that are told."""
KEY = re.compile(r"\b(?:sk|pk|key|hf|gsk|xai|AIza)[-_][\w\-*.]{6,}|(?<=Bearer )\S+", re.IGNORECASE)
"""What looks like a key: servers like to repeat the one that they refuse."""
PASSWORD = re.compile(r"(?<=://)[^/\s@]+@")
UNSEEN = re.compile(r"(?is)<(style|script|head)\b.*?</\1>|<!--.*?-->|<[^>]*>|[\x00-\x1f\x7f-\x9f]")
"""Of an HTML page what its reader does not see, and what would move a terminal's cursor."""


@dataclass(frozen=True)
class Server:
    """Who is asked: its part in the evaluation (`model` or `grader`), the model's name and the address, empty where nobody knows it."""

    role: str
    name: str
    address: str = ""

    def __str__(self) -> str:
        where = f" ({self.address})" if self.address else ""
        return f"the {self.role} {self.name}{where}"


@dataclass(frozen=True)
class Trouble:
    """What a server has done since it was last spoken of.

    Args:
        server: which.
        answer: what it answered, in words; empty where it answers properly again.
        tries: how many requests came to nothing.
        next_s: seconds until the next request; None where one follows at once or never.
        waiting: requests that wait for an answer.
    """

    server: Server
    answer: str
    tries: int = 0
    next_s: float | None = None
    waiting: int = 0

    def line(self, tries: int | None = None) -> str:
        """One line; `tries` where more are known of than this one tells."""
        if not self.answer:
            return f"{self.server} answers again"
        count = tries or self.tries
        parts = [
            f"{count} {'try' if count == 1 else 'tries'} in vain" if count else "",
            f"next in {math.ceil(self.next_s)} s" if self.next_s else "",
            f"{self.waiting} waiting" if self.waiting else "",
        ]
        return f"{self.server}: {self.answer} ({', '.join(filter(None, parts))})"


def shown_address(url: str) -> str:
    """An address without the password and the query, in which some servers want their key."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/") if host else ""


def without_keys(text: str) -> str:
    """A text without the keys of the environment, and without what looks like a key or a password."""
    secret = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
    for name, value in os.environ.items():
        if name.upper().endswith(secret) and len(value) >= 8:
            text = text.replace(value, "***")
    return PASSWORD.sub("***@", KEY.sub("***", text))


def first_words(body: str) -> str:
    """The first words of a bad answer: the message of an error in JSON, the text of a page, or the text itself."""
    page = html.unescape(UNSEEN.sub(" ", body))
    title = re.search(r"(?is)<title\b[^>]*>(.*?)</title>", body)
    text = _message(body) or " ".join(page.split()) or (title.group(1) if title else "")
    words = " ".join(without_keys(UNSEEN.sub(" ", text)).split()).rstrip(".")
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS].rstrip()}..."


def no_answer(body: str, kind: str) -> str:
    """Why a body that was sent as a success is not an answer, in words; empty if it may be one.

    Gateways send pages to log in, overloaded routers an error in JSON, and servers that die in the midst of it half an object.
    """
    if "html" in kind:
        return f"a page of HTML, {first_words(body)}"
    if "event-stream" in kind:
        return "a stream that was not asked for"
    try:
        found = json.loads(body)
    except ValueError:
        return f"no JSON, {first_words(body)}" if body.strip() else "nothing"
    if not isinstance(found, dict):
        return f"no object, {first_words(body)}"
    if found.get("error"):
        return f"an error, {first_words(body)}"
    if not found:
        return "an empty object"
    return "no choices" if "choices" in found and not found["choices"] else ""


def _message(body: str) -> str:
    """The message of an error in JSON, wherever servers put it: `error.message`, `error`, `message`, `detail`."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return ""
    for name in ("error", "message", "detail"):
        found = found.get(name, found) if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""
