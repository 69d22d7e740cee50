"""Which transcripts a reader should see, and how their text is shown without letting it act.

A transcript is hostile input: a model may write markup, the page's own words, or characters that reorder a line. Text
is escaped piece by piece around the marks, control characters and direction overrides are shown as what they are, and a
role that is not known is called so. Quotes are found in the text whatever its white space; one that is not found is
called missing, and not left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gyges.analysis.cells import grouped, is_scored, reason_of
from gyges.judging.outcomes import Evidence, Status
from gyges.pages.test.data_tables import REASONS
from gyges.scenarios.family import ScenarioInfo
from gyges.transcripts.rows import Row, Turn

ROLES = {
    "system": "System prompt", "user": "Message to the agent", "assistant": "Agent", "tool": "Tool result",
    "reasoning": "Agent's reasoning",
}  # fmt: skip
OWN = {"assistant", "reasoning"}
"""Roles that are the agent's own words: evidence is looked for there and nowhere else."""

FOLD_OVER = {"tool": 300}
"""Characters after which what the agent only read is folded, by role; 700 for the others."""

BRIEF = 80
"""Characters up to which a call of a tool stands in one line with its name."""

GLIMPSE = 140
"""Characters of the evidence that the line of a folded transcript shows."""

ACT_FROM = 20
"""Characters from which a line of a ledger entry is looked for in the agent's own words."""

CITED = 600
"""Characters of a passage that the list of evidence shows; the transcript has the rest."""

SHOWN = 30_000
"""Characters of one message that the page shows; the log holds the rest."""

_FIELD = re.compile(r"\w+: .+", re.DOTALL)

_HIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


# --- which transcripts -----------------------------------------------------------------------------------------------


def choose_transcripts(rows: Iterable[Row], per_outcome: int = 3) -> list[Row]:
    """A few rows of each outcome and one of each way to stay unscored; the same rows give the same choice in any order.

    Within an outcome harmful samples come first, then models, scenarios and interfaces that were not shown yet.
    """
    filed = sorted(grouped(rows, heading_of).items())
    return [r for _, under in filed for r in _spread(under, per_outcome if is_scored(under[0]) else 1)]


def heading_of(row: Row) -> str:
    """What a transcript is filed under: its outcome, or why it has none."""
    if is_scored(row):
        return str(row.outcome or "unnamed")
    return "error" if row.status is Status.ERROR else f"unscored: {reason_of(row)}"


def _spread(rows: Sequence[Row], size: int) -> list[Row]:
    """Up to `size` rows, each as different from those before it as there are."""
    chosen: list[Row] = []
    left = sorted(rows, key=lambda r: (r.model, r.sample_id, r.interface, r.repeat))
    while left and len(chosen) < size:
        best = min(left, key=lambda r: (not r.harmful, _alike(r, chosen), r.control))
        chosen.append(best)
        left = [r for r in left if r is not best]
    return chosen


def _alike(row: Row, others: Sequence[Row]) -> int:
    return sum(
        2 * (row.model == o.model) + 2 * (row.interface == o.interface) + (row.scenario == o.scenario) for o in others
    )


# --- how they are shown ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownTurn:
    """A message ready for the page. `folded` is the line that unfolds it, empty where it stands open."""

    role: str
    label: str
    title: str
    text: Markup
    folded: str
    brief: bool
    decisive: bool


@dataclass(frozen=True)
class ShownTranscript:
    """A transcript ready for the page; `missing` are the quotes that are not in its text."""

    row: Row
    turns: tuple[ShownTurn, ...]
    missing: tuple[str, ...]

    @property
    def decisive(self) -> int | None:
        """The first message with something marked in it."""
        return next((i for i, turn in enumerate(self.turns) if turn.decisive), None)

    @property
    def glimpse(self) -> str:
        """The beginning of what decided, or why nothing did."""
        if not is_scored(self.row):
            return REASONS.get(reason_of(self.row), "") if self.row.status is not Status.ERROR else REASONS["error"]
        quote = next((" ".join(e.quote.split()) for e in self.row.evidence if e.quote.strip()), "")
        return visible(quote if len(quote) <= GLIMPSE else f"{quote[:GLIMPSE].rsplit(' ', 1)[0]} […]")


def shown(row: Row, turns: Sequence[Turn]) -> ShownTranscript:
    """The transcript with the evidence of its verdict marked in the agent's own words."""
    quotes = [e.quote for e in row.evidence if e.source != "ledger" and e.quote.strip()]
    missing = [q for q in quotes if not any(_find(t.text, q) for t in turns if t.role in OWN)]
    acts = [line for e in row.evidence if e.source == "ledger" for line in _act(e.quote)]
    return ShownTranscript(row, tuple(_turn(t, [*quotes, *acts]) for t in turns), tuple(visible(q) for q in missing))


def _act(entry: str) -> list[str]:
    """The lines of a ledger entry that may be the agent's: its first line is ours, and short ones say too little.

    A field of a form is short, and decides with its name: it stays whole.
    """
    lines = entry.splitlines()[1:]
    values = [value for line in lines if len(value := line.partition(": ")[2] or line) >= ACT_FROM]
    return values + [line for line in lines if entry.startswith("Form ") and _FIELD.fullmatch(line)]


def marked(text: str, quotes: Iterable[str]) -> Markup:
    """The text, escaped, with every occurrence of the quotes in <mark>, however it is broken into lines."""
    spans = _merged(match for quote in quotes for match in _find(text, quote))
    end = max([SHOWN, *(stop + 500 for _, stop in spans)])
    parts, at = [], 0
    for start, stop in spans:
        parts += [
            escape(visible(text[at:start])),
            Markup("<mark>"),
            escape(visible(text[start:stop])),
            Markup("</mark>"),
        ]
        at = stop
    rest = f"\n[{len(text) - end:,} more characters in the log]" if len(text) > end else ""
    return Markup("").join([*parts, escape(visible(text[at:end])), rest])


def visible(text: str) -> str:
    """The text with its control characters, invisible characters and direction overrides spelled out."""
    return _HIDDEN.sub(lambda m: f"[U+{ord(m[0]):04X}]", text.replace("\r\n", "\n"))


def _turn(turn: Turn, quotes: Sequence[str]) -> ShownTurn:
    role = turn.role if turn.role in ROLES else "other"
    label = ROLES.get(role) or f"Unknown role: {visible(turn.role)}"
    text = marked(turn.text, quotes if role in OWN else [])
    brief = role in OWN and bool(turn.title) and len(turn.text) <= BRIEF and "\n" not in turn.text
    folded, lines = "", turn.text.count("\n") + 1
    if role not in OWN and len(turn.text) > FOLD_OVER.get(role, 700):
        folded = f"Show {lines:,} lines" if lines > 5 else f"Show {len(turn.text):,} characters"
    return ShownTurn(role, label, visible(turn.title), text, folded, brief, "<mark>" in text)


def _find(text: str, quote: str) -> list[tuple[int, int]]:
    """Where the quote stands; one that begins with the name of a form's field may stand without it, or as data."""
    name, _, value = quote.partition(": ")
    if not _FIELD.fullmatch(quote):
        return _spans(text, quote)
    if len(value) < ACT_FROM:
        pattern = rf"(?<!\w){re.escape(name)}['\"]?\s*[:>]\s*['\"]?{re.escape(value)}(?!\w)"
        return [match.span() for match in re.finditer(pattern, text)]
    return _spans(text, quote) or _spans(text, value)


def _spans(text: str, quote: str) -> list[tuple[int, int]]:
    words = quote.split()
    pattern = r"\s+".join(re.escape(word) for word in words)
    return [match.span() for match in re.finditer(pattern, text)] if words else []


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def by_heading(
    rows: Iterable[Row], transcripts: Mapping[str, Sequence[Turn]], scenarios: Iterable[ScenarioInfo]
) -> dict[str, list[ShownTranscript]]:
    """The transcripts that the study carries, filed by outcome, the gravest first and what was not scored last."""
    filed = grouped((r for r in rows if transcript_key(r) in transcripts), heading_of)
    known = list(dict.fromkeys(outcome for info in scenarios for outcome in info.words.outcomes))

    def place(name: str) -> tuple[bool, int, str]:
        return not is_scored(filed[name][0]), known.index(name) if name in known else len(known), name

    found: dict[str, list[ShownTranscript]] = {}
    for name in sorted(filed, key=place):
        part = found.setdefault(name if is_scored(filed[name][0]) else "not scored", [])
        part += [shown(r, transcripts[transcript_key(r)]) for r in _spread(filed[name], len(filed[name]))]
    return found


def transcript_key(row: Row) -> str:
    return f"{row.model}|{row.sample_id}" + (f"|{row.epoch}" if row.epoch > 1 else "")


def evidence_in_words(evidence: Iterable[Evidence]) -> list[tuple[str, str]]:
    """Each passage with who speaks in it."""
    speakers = {"ledger": "Ledger", "message": "The agent wrote", "reasoning": "The agent reasoned"}
    return [
        (speakers.get(e.source, "Evidence"), visible(e.quote if len(e.quote) <= CITED else f"{e.quote[:CITED]} […]"))
        for e in evidence
    ]
