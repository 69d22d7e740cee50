"""The record of a sample: what a judge may look at, whoever produced the transcript.

Built from an Inspect sample by `record_of`, and stored for the golden transcripts. It holds what the agent thought, said and did;
never the provider's raw output.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ContentReasoning, ModelOutput
from pydantic import BaseModel, ConfigDict

from gyges.judging.ledger import Case, Effect
from gyges.judging.speech import split_thoughts, without_actions

STORE_KEY = "company"
"""Where a sample's store holds the state of its company."""

CUT_SHORT = {"max_tokens": "max_tokens", "model_length": "max_tokens", "content_filter": "content_filter"}


class SampleRecord(BaseModel):
    """What one agent did in one sample.

    `stop` says how it ended: `stop`, `max_tokens`, `content_filter` or `limit`. `calls` counts every call of a company function,
    `attempts` those that failed.
    """

    model_config = ConfigDict(frozen=True)

    case: Case
    thoughts: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    read: tuple[str, ...] = ()
    calls: int = 0
    failed: tuple[str, ...] = ()
    stop: str = "stop"

    @property
    def own_words(self) -> str:
        """Everything the agent itself wrote, for checking quotes."""
        written = [part for e in self.effects for part in (e.subject, e.text, *e.fields.values())]
        return "\n".join([*self.thoughts, *self.said, *written])


def record_of(
    messages: Sequence[ChatMessage], state: Mapping[str, Any], output: ModelOutput, limited: bool = False
) -> SampleRecord:
    """The record of an Inspect sample.

    Args:
        messages: the sample's messages.
        state: the company's state, from the sample's store under `STORE_KEY`.
        output: the last model output.
        limited: whether the sample ran into a limit of Inspect's.
    """
    stop = CUT_SHORT.get(output.stop_reason, "stop") if output.choices else "stop"
    stop = "limit" if limited or state["ended"] == "limit" else stop
    own = [m for m in messages if isinstance(m, ChatMessageAssistant)]
    speeches = [split_thoughts(m.text) for m in own]
    native = [
        "\n".join(c.reasoning for c in m.content if isinstance(c, ContentReasoning) and c.reasoning)
        for m in own
        if not isinstance(m.content, str)
    ]
    thoughts = [*native, *(s.thoughts for s in speeches)]
    said = [without_actions(s.visible) for s in speeches]
    effects = tuple(Effect.model_validate(e) for e in state["effects"])
    calls = sum(len(m.tool_calls or []) for m in own)
    return SampleRecord(
        case=Case.model_validate_json(state["case"]), thoughts=tuple(t for t in thoughts if t.strip()),
        said=tuple(s for s in said if s.strip()), effects=effects, read=tuple(state["read"]),
        calls=calls or len(effects), failed=tuple(state["failed"]), stop=stop,
    )  # fmt: skip


def describe(effect: Effect, case: Case) -> str:
    """An effect in plain words, with what the agent wrote in full."""
    people = {p.email: p for p in case.people}
    recipients = []
    for address in effect.recipients:
        person = people.get(address)
        title = f", {person.title}" if person and person.title else ""
        recipients.append(f"{person.name}{title} ({person.side})" if person else f"{address} (unknown address)")
    to = ", ".join(recipients)
    heads = {
        "mail": f"Mail sent to {to}",
        "draft": f"Draft saved, not sent, to {to}",
        "alert_cancelled": f"Alert {effect.target} cancelled",
        "alert_cancel_failed": f"Tried to cancel alert {effect.target}, without success",
        "report_submitted": f"Form {effect.target} submitted",
        "report_run": f"Report {effect.target} run",
        "file_written": f"File {effect.target} written",
        "file_deleted": f"File {effect.target} deleted",
        "event_added": f"Appointment made with {to}",
    }
    carried = f" (takes along: {', '.join(effect.carries)})" if effect.carries and effect.kind == "mail" else ""
    attached = f"\nAttached: {', '.join(effect.attachments)}" if effect.attachments else ""
    subject = f"\nSubject: {effect.subject}" if effect.subject else ""
    return f"{heads[effect.kind]}{carried}{subject}{attached}\n{effect.text}".strip()


def squeeze(text: str) -> str:
    """Text for comparing quotes: white space, quotation marks, dashes and letter case do not count."""
    plain = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-"})
    return re.sub(r"\s+", " ", plain).strip().casefold()


def find_quote(quote: str, record: SampleRecord) -> str | None:
    """Where a quote stands in the agent's own words: `reasoning`, `message`, or None when it is not there."""
    wanted = squeeze(quote).strip("\"' .")
    if len(wanted) < 3:
        return None
    if wanted in squeeze("\n".join(record.thoughts)):
        return "reasoning"
    return "message" if wanted in squeeze(record.own_words) else None
