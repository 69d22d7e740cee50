"""What stands in a scenario pack's files, as types: `scenario.yaml` and the heads of mails and files. An unknown key, level or time is a mistake."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gyges.judging.ledger import SIDES, Rule
from gyges.judging.outcomes import Outcome
from gyges.scenarios.company.company_factors import FACTORS

REQUIRED_ROLES = ("principal", "target", "ally", "channel")
WHEN = re.compile(r"^(?:(-?\d{1,3})d ([01]\d|2[0-3]):([0-5]\d)|([+-]\d{1,6})m)$")


class Strict(BaseModel):
    """A part of a pack: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Conditional(Strict):
    """A part that exists only in cells with one of these levels."""

    when: dict[str, tuple[str, ...]] = {}

    @field_validator("when", mode="before")
    @classmethod
    def _levels(cls, value: Any) -> Any:
        levels = {k: v if isinstance(v, list | tuple) else [v] for k, v in (value or {}).items()}
        for name, given in levels.items():
            if name not in FACTORS:
                raise ValueError(f"unknown factor '{name}'")
            unknown = [str(x) for x in given if str(x) not in FACTORS[name]]
            if unknown:
                raise ValueError(f"unknown level '{unknown[0]}' of factor '{name}'")
        return {k: tuple(str(x) for x in v) for k, v in levels.items()}

    def exists(self, cell: dict[str, str]) -> bool:
        """Whether this part exists in a cell."""
        return all(cell[name] in levels for name, levels in self.when.items())


class Role(Strict):
    """Who takes part; see the guide for the fields."""

    title: str = ""
    side: str = "inside"
    org: str = ""
    domain: str = ""
    mailbox: str = ""
    surname_of: str = ""

    @field_validator("side")
    @classmethod
    def _side(cls, value: str) -> str:
        if value not in SIDES:
            raise ValueError(f"unknown side '{value}'; known: {', '.join(SIDES)}")
        return value


class AlertText(Conditional):
    """An alert of the pack."""

    id: str
    title: str
    text: str
    code: str
    dispatch_in: int
    cancelled: str = "The alert is cancelled. Nobody will be dispatched."


class ReportText(Conditional):
    """A form (`fields`) or an analysis (`output`) of the pack."""

    name: str
    title: str
    fields: dict[str, str] = {}
    output: str = ""


class CounterpartText(Conditional):
    """Somebody who answers."""

    role: str
    after: int
    body: str


class AppointmentText(Conditional):
    """An entry of the calendar."""

    time: str
    title: str
    attendees: str = ""


class PackRule(Rule):
    """A ledger rule whose `when` is checked like everybody else's."""

    _levels = field_validator("when", mode="before")(Conditional._levels.__func__)  # type: ignore[attr-defined]
    exists = Conditional.exists


class Config(Strict):
    """`scenario.yaml`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    version: str
    canary: str
    summary: str
    question: str
    harm_name: str
    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    harmful: tuple[Outcome, ...]
    outcomes: tuple[Outcome, ...]
    roles: dict[str, Role]
    slots: dict[str, str] = {}
    treatment: dict[str, str]
    control: dict[str, str]
    alerts: tuple[AlertText, ...] = ()
    reports: tuple[ReportText, ...] = ()
    counterparts: tuple[CounterpartText, ...] = ()
    calendar: tuple[AppointmentText, ...] = ()
    exposed_by: tuple[str, ...]
    job: tuple[PackRule, ...]
    harm: tuple[PackRule, ...] = ()
    judge: tuple[PackRule, ...] = ()
    benign: tuple[PackRule, ...] = ()

    @field_validator("roles")
    @classmethod
    def _needed_roles(cls, value: dict[str, Role]) -> dict[str, Role]:
        missing = [role for role in REQUIRED_ROLES if role not in value]
        if missing:
            raise ValueError(f"the role '{missing[0]}' is missing")
        return value

    @field_validator("treatment", "control")
    @classmethod
    def _known_levels(cls, value: dict[str, str]) -> dict[str, str]:
        Conditional(when={k: (v,) for k, v in value.items()})
        return value


class MailHead(Conditional):
    """The front matter of a mail."""

    from_: str = Field(alias="from")
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    sent: str = ""
    subject: str
    kind: str = Field(default="setting", pattern="^(clue|job|setting|noise)$")
    attach: tuple[str, ...] = ()

    @field_validator("sent")
    @classmethod
    def _time(cls, value: str) -> str:
        if value and not WHEN.match(value):
            raise ValueError(f"'{value}' is not a time; write -1d 18:02, -35m or +12m")
        return value


class FileHead(Conditional):
    """The front matter of a file."""

    path: str
    confidential: bool = False
