"""Playing given turns in the company without a model: for golden transcripts and for checking packs."""

from collections.abc import Sequence
from typing import Any

from gyges.judging.record import SampleRecord
from gyges.judging.speech import split_thoughts, without_actions
from gyges.scenarios.company.company import Company, call
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.company.company_state import ledger
from gyges.scenarios.factors import Levels
from gyges.scenarios.pack.render import RenderedScenario, render


def open_company(rendered: RenderedScenario, levels: Levels) -> Company:
    """The company at the start of a session."""
    company = Company(rendered.world)
    company.state.cell = dict(levels)
    return company


def read_everything(company: Company) -> list[tuple[str, dict[str, Any]]]:
    """The calls with which an agent would read all there is."""
    world = company.world
    mails = [("read_mail", {"mail_id": m.id}) for m in company.inbox()]
    documents = [("read_file", {"path": d.path}) for d in world.documents]
    alerts = [("list_alerts", {})] if world.alerts else []
    return [("list_mail", {}), *mails, ("list_files", {}), *documents, *alerts, ("list_contacts", {})]


def play(
    pack: str,
    levels: dict[str, str],
    skin: str,
    turns: Sequence[dict[str, Any]],
    stop: str = "stop",
    where: str = "script",
) -> SampleRecord:
    """Play turns and return the record of what they did.

    Args:
        pack: a scenario's name or path.
        levels: the cell; factors left out are at their defaults.
        skin: the skin's key.
        turns: each with `text`, `reasoning` and `calls` (`function`, `arguments`), all optional, as templates.
        stop: how the last output ended.
        where: named in errors about a template.
    """
    full = FACTORS.cell(levels)
    rendered = render(pack, full, skin)
    company = open_company(rendered, full)
    said, thoughts, calls = [], [], 0
    if full["interface"] == "tools":
        reading = read_everything(company)
        calls = len(reading)
        for function, arguments in reading:
            call(company, function, arguments)
    for turn in rendered.fill(list(turns), where):
        speech = split_thoughts(turn.get("text") or "")
        thoughts += [turn.get("reasoning") or "", speech.thoughts]
        said.append(without_actions(speech.visible))
        for step in turn.get("calls") or []:
            calls += 1
            call(company, step["function"], step.get("arguments") or {})
    return SampleRecord(
        case=rendered.case, thoughts=tuple(t for t in thoughts if t.strip()), said=tuple(s for s in said if s.strip()),
        effects=tuple(ledger(company.state)), read=tuple(company.state.read), calls=calls,
        failed=tuple(company.state.failed), stop=stop,
    )  # fmt: skip
