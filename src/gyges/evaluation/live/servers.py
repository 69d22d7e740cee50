"""Servers that do not answer: what is seen of each request, and when it is worth a line.

Providers wait and try again in silence, for hours if need be. Their HTTP clients (httpx) tell of every request and response to hooks, which see
also what a provider's client tries again by itself; Inspect tells when it waits and for how long. Where a client cannot be watched, because
its provider makes one for every call, Inspect's word is all there is: no first words of the answer, and nothing of a server that hangs.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock, Thread
from typing import Any

from inspect_ai.hooks import ModelRetry
from inspect_ai.model import Model

from gyges.evaluation.live.trouble import Server, Trouble, first_words, no_answer, shown_address

SETTLE_S = 2.0
"""A trouble that is over so soon is not told: the client has tried again, and that was that."""
SILENT_S = 15.0
"""So long may a server be silent before a line says so, the first time; one that is always slow is then allowed twice what it took."""
TELL_EVERY_S = 10.0
LONGEST_RETRY_AFTER_S = 60.0
"""Clients wait as long as a server asks them to, up to this."""


@dataclass(eq=False)
class Asked:
    """A request on its way, or how it went."""

    server: Server
    since: float
    answer: str = ""
    bad: bool = False


@dataclass
class State:
    """How a server has behaved. Times are of the monotonic clock; 0.0 is never.

    `tries` and `answer` are what has not been told yet; `patience` is how long it may be silent before the next line.
    """

    waiting: set[Asked] = field(default_factory=set)
    heard: float = 0.0
    good: float = 0.0
    bad_since: float = 0.0
    bad: float = 0.0
    told: float = 0.0
    patience: float = field(default_factory=lambda: SILENT_S)
    answer: str = ""
    tries: int = 0
    next_at: float = 0.0

    def silence(self, now: float) -> float:
        """Seconds for which it has answered nothing although somebody waits."""
        return now - max(self.heard, min(asked.since for asked in self.waiting)) if self.waiting else 0.0

    def answered(self, asked: Asked, now: float) -> None:
        """Something came back."""
        if (silence := self.silence(now)) > SILENT_S:
            self.patience = max(self.patience, 2 * silence)
        self.waiting.discard(asked)
        self.heard = now

    def failed(self, asked: Asked, answer: str, now: float) -> None:
        """A request came to nothing; without an answer, this is another word on one that is known."""
        self.waiting.discard(asked)
        if not asked.bad:
            self.tries += 1
        asked.bad, self.answer, self.bad = True, answer or self.answer, now
        self.bad_since = self.bad_since or now

    def news(self, server: Server, now: float, final: bool) -> Trouble | None:
        """What is worth a line now; `final`: there will be no other time."""
        if self.good > self.bad:
            if now - self.bad > TELL_EVERY_S and self.silence(now) < SILENT_S:
                was_told, self.told, self.bad_since, self.tries = self.told, 0.0, 0.0, 0
                return Trouble(server, "") if was_told else None
        elif self.tries and (final or now > (self.told + TELL_EVERY_S if self.told else self.bad_since + SETTLE_S)):
            told = Trouble(server, self.answer, self.tries, max(0.0, self.next_at - now) or None, len(self.waiting))
            self.told, self.tries = now, 0
            return told
        if (silence := self.silence(now)) >= self.patience:
            self.told, self.patience = now, 2 * silence
            return Trouble(server, f"no answer for {silence:.0f} s", 0, None, len(self.waiting))
        return None


class ServerWatch:
    """Takes down what servers do, and tells what is worth a line; `role` is the part of those whose client cannot be watched."""

    def __init__(self, tell: Callable[[Trouble], None], role: str) -> None:
        self.tell, self.role, self.states, self.lock = tell, role, dict[Server, State](), Lock()

    def asked(self, server: Server) -> Asked:
        """A request is sent."""
        asked = Asked(server, time.monotonic())
        with self.lock:
            self.states.setdefault(server, State()).waiting.add(asked)
        return asked

    def answered(self, asked: Asked, properly: bool) -> None:
        """An answer has begun to arrive."""
        now = time.monotonic()
        with self.lock:
            state = self.states[asked.server]
            state.answered(asked, now)
            if properly:
                state.good = now

    def failed(self, asked: Asked, answer: str, next_s: float | None = None) -> None:
        """A request came to nothing; the next one follows in so many seconds, if that is known."""
        now = time.monotonic()
        with self.lock:
            state = self.states.setdefault(asked.server, State())
            state.failed(asked, answer, now)
            if next_s is not None and not now < state.next_at < now + next_s:
                state.next_at = now + next_s

    def look(self, final: bool = False) -> None:
        """Tell what is worth a line."""
        now = time.monotonic()
        with self.lock:
            news = [state.news(server, now, final) for server, state in self.states.items()]
        for trouble in filter(None, news):
            self.tell(trouble)

    def look_until(self, ended: Event) -> None:
        """Do so every second."""
        while not ended.wait(1.0):
            self.look()


WATCH: ContextVar[ServerWatch | None] = ContextVar("watch", default=None)
LAST: ContextVar[Asked | None] = ContextVar("last", default=None)
"""The last request of a sample: the one that Inspect means when it says that it will try again."""


@contextmanager
def watching(tell: Callable[[Trouble], None], role: str = "model") -> Iterator[None]:
    """ServerWatch servers while the block runs; `tell` is called from a thread, since a loop that is busy or stuck would not look."""
    watch, ended = ServerWatch(tell, role), Event()
    thread = Thread(target=watch.look_until, args=(ended,), daemon=True)
    token = WATCH.set(watch)
    thread.start()
    try:
        yield
        watch.look(final=True)
    finally:
        WATCH.reset(token)
        ended.set()
        thread.join()


def watch_requests(model: Model, role: str) -> None:
    """Have the HTTP client of a model tell of its requests; providers without one of their own are left alone."""
    api: Any = model.api
    client = getattr(api, "http_client", None) or getattr(getattr(api, "client", None), "_client", None)
    hooks = getattr(client, "event_hooks", None)
    if isinstance(hooks, dict):
        address = getattr(api, "base_url", None) or getattr(client, "base_url", "")
        server = Server(role, str(model), shown_address(str(address)))
        hooks["request"].append(partial(_on_request, server))
        hooks["response"].append(_on_response)


async def _on_request(server: Server, request: Any) -> None:
    if watch := WATCH.get():
        asked = watch.asked(server)
        LAST.set(asked)
        request.extensions = {**request.extensions, "trace": partial(_on_trace, watch, asked)}


async def _on_response(response: Any) -> None:
    watch, asked = WATCH.get(), LAST.get()
    if watch is None or asked is None:
        return
    kind = response.headers.get("content-type", "").partition(";")[0]
    asked.answer = f"{response.status_code} {response.reason_phrase}".strip()
    streams = kind == "text/event-stream" and b'"stream":true' in response.request.content.replace(b": ", b":")
    if streams or 300 <= response.status_code < 400:
        asked.answer += f" with {kind}" if kind else ""
        return watch.answered(asked, properly=response.status_code < 300)
    await response.aread()  # a body that is not streamed is read whole by the client too, from here
    problem = first_words(response.text) if response.status_code >= 400 else no_answer(response.text, kind)
    watch.answered(asked, properly=response.status_code < 300 and not problem)
    if response.status_code >= 400 or problem:
        told = f"{asked.answer}: {problem}" if problem else asked.answer
        watch.failed(asked, told, _retry_after(response.headers))


def _retry_after(headers: Any) -> float | None:
    """For how many seconds the server wants to be left alone, where a client heeds it."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:  # none, or a date
        return None
    return seconds if 0 < seconds <= LONGEST_RETRY_AFTER_S else None


async def _on_trace(watch: ServerWatch, asked: Asked, name: str, info: dict[str, Any]) -> None:
    """Httpx's own account of a request: its steps, of which those that fail have no response to hook on to."""
    if not name.endswith(".failed") or "response_closed" in name:
        return
    problem = info.get("exception")
    slow = isinstance(problem, asyncio.CancelledError) or "Timeout" in type(problem).__name__
    silent = f"no answer in {time.monotonic() - asked.since:.0f} s"
    words = first_words(str(problem)) or type(problem).__name__
    watch.failed(asked, silent if slow else f"no connection: {words}" if ".connect" in name else words)


def note_retry(data: ModelRetry) -> None:
    """Inspect will try again: what for, where nobody saw it, and when."""
    if watch := WATCH.get():
        asked = LAST.get() or Asked(Server(watch.role, data.model_name), time.monotonic())
        kind = asked.answer or data.status_code or data.exception_type or "nothing"
        watch.failed(asked, "" if asked.bad else f"an answer that is of no use ({kind})", data.wait_time)
