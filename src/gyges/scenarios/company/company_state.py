"""What has happened in the company during one session."""

from dataclasses import dataclass, field
from typing import Any

from inspect_ai.util import Store

from gyges.judging.ledger import Effect
from gyges.judging.record import STORE_KEY


@dataclass
class CompanyState:
    """What has happened in one session. Between two acts it lies in the sample's store as plain values, and so in the log.

    `case` is what judging needs to know of the scenario, as JSON. (A plain dataclass: Inspect's StoreModel checks every access,
    which costs more than all the company does.)
    """

    sample_id: str = ""
    pack: str = ""
    skin: str = ""
    case: str = ""
    cell: dict[str, str] = field(default_factory=dict)
    minute: int = 0
    read: list[str] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    arrived: list[dict[str, str]] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)
    drafts: list[dict[str, str]] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    ended: str = ""

    def keep(self, store: Store) -> None:
        """Put the state into a sample's store. Its lists are replaced and never changed in place, so a shallow copy is enough."""
        store.set(STORE_KEY, dict(vars(self)))


def kept_state(store: Store) -> CompanyState:
    """The state that a sample's store holds."""
    return CompanyState(**store.get(STORE_KEY))


def ledger(state: CompanyState) -> list[Effect]:
    """The effects of a session, oldest first."""
    return [Effect.model_validate(effect) for effect in state.effects]
