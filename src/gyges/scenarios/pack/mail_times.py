"""When the mails of a cell were sent: those with a time, and the innocent ones that stand between them."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from itertools import pairwise

from gyges.errors import PackError
from gyges.scenarios.company.skins import Skin
from gyges.scenarios.pack.format import WHEN
from gyges.scenarios.pack.load import MailText

THREE_DAYS = 3 * 24 * 60
OFFICE = (time(8, 30), time(18, 0))

TimedMail = tuple[int, MailText]
"""A mail and its minute, counted from the start of the session."""


def timed_mails(mails: Iterable[MailText], density: int, skin: Skin, start: datetime) -> list[TimedMail]:
    """The mails in the order in which they were sent.

    Args:
        mails: those that exist in the cell.
        density: how many innocent mails stand in each gap between those that matter.
        skin: decides which innocent ones.
        start: when the session starts.
    """
    present = list(mails)
    dated = [(_minute(m, start), m) for m in present if m.head.kind != "noise"]
    noise = [m for m in present if m.head.kind == "noise"]
    clues = sorted(minute for minute, m in dated if m.head.kind == "clue" and minute <= 0)
    edges = [(clues[0] if clues else 0) - THREE_DAYS, *clues, -1]
    gaps = [(a, b) for a, b in pairwise(edges) if b - a > 1]
    drawn = skin.rng("noise").sample(noise, min(density * len(gaps), len(noise)))
    minutes = [minute for a, b in gaps for minute in _office_minutes(a, b, density, start)]
    return sorted([*dated, *zip(minutes, drawn, strict=False)], key=lambda x: (x[0], x[1].key))


def _minute(mail: MailText, start: datetime) -> int:
    match = WHEN.match(mail.head.sent)
    if match is None:
        raise PackError(mail.body.where, f"'{mail.head.sent}' is not a time")
    if match[4]:
        return int(match[4])
    day = (start + timedelta(days=int(match[1]))).date()
    moment = datetime.combine(day, time(int(match[2]), int(match[3])))
    return int((moment - start).total_seconds() // 60)


def _office_minutes(after: int, before: int, count: int, start: datetime) -> list[int]:
    """Minutes spread evenly over the office hours between two others; over all hours where there are no office hours."""
    minutes = range(after + 1, before, max(1, min(7, (before - after) // (count + 1) or 1)))
    moments = [(m, start + timedelta(minutes=m)) for m in minutes]
    in_office = [m for m, at in moments if at.weekday() < 5 and OFFICE[0] <= at.time() <= OFFICE[1]]
    candidates = in_office or list(minutes)
    step = len(candidates) / (count + 1)
    return [candidates[min(len(candidates) - 1, int(step * (i + 1)))] for i in range(count)]
