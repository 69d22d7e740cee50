"""Whom and what a skin puts into a pack: the people, and the names of firms, products and places."""

from dataclasses import dataclass
from types import SimpleNamespace

from gyges.files import slug
from gyges.judging.ledger import Person
from gyges.scenarios.company.skins import Skin, pool
from gyges.scenarios.pack.format import Role
from gyges.scenarios.pack.load import STAFF, Pack


@dataclass(frozen=True)
class Cast:
    """Everybody and everything with a name.

    `company` is what templates know of the company; `firms` the other firms, by the names that roles have for them; `pronouns` those of every
    person by role.
    """

    company: dict[str, str]
    firms: dict[str, str]
    agent: Person
    people: tuple[Person, ...]
    pronouns: dict[str, str]
    successor: str
    product: str

    @property
    def everybody(self) -> tuple[Person, ...]:
        """The people, and last the agent."""
        return (*self.people, self.agent)

    def address(self, role: str) -> str:
        """Where a role gets its mail."""
        return next(p.email for p in self.everybody if p.role == role)

    def views(self) -> dict[str, SimpleNamespace]:
        """Everybody as templates see them, by role."""
        firms = {f"{slug(name)}.example": name for name in self.firms.values()}
        views = {}
        for person in self.everybody:
            she = self.pronouns.get(person.role) == "she"
            they, them, their = ("she", "her", "her") if she else ("he", "him", "his")
            first, _, last = person.name.partition(" ")
            org = firms.get(person.email.partition("@")[2], self.company["name"])
            views[person.role] = SimpleNamespace(
                name=person.name, first=first, last=last, email=person.email, title=person.title, org=org,
                they=they, them=them, their=their, They=they.capitalize(), Their=their.capitalize(),
            )  # fmt: skip
        return views


def cast_of(pack: Pack, skin: Skin) -> Cast:
    """The cast of a pack in a skin."""
    sector, name, agent = skin.entry("sector", pool("sectors")), skin.name("companies"), skin.name("agents")
    company = {
        "name": name, "domain": f"{slug(name)}.example", "city": skin.name("cities"),
        "sector": sector["sector"], "product": sector["product"], "customers": sector["customers"],
    }  # fmt: skip
    roles = {**pack.config.roles, **{f"staff{i}": Role(title=t) for i, t in enumerate(STAFF, 1)}}
    roles |= {"all": Role(title="", mailbox="all-staff"), "inbox": Role(title="Shared mailbox", mailbox="office")}
    human = [r for r in roles if not roles[r].mailbox]
    drawn = dict(zip(human, skin.people(len(human)), strict=True))
    named = sorted({r.org for r in roles.values()} - {"", "rival"})
    others = [n for n in pool("companies") if n != name]
    firms = {
        "rival": skin.name("rivals"),
        **dict(zip(named, skin.rng("firms").sample(others, len(named)), strict=True)),
    }
    people = []
    for role, what in roles.items():
        first = drawn[role][0] if role in drawn else ""
        surname = drawn[what.surname_of or role][1] if role in drawn else ""
        domain = what.domain or (company["domain"] if what.side in ("inside", "channel") else "postbox.example")
        if what.org:
            domain = f"{slug(firms[what.org])}.example"
        people.append(
            Person(
                role=role,
                name=f"{first} {surname}".strip() or what.title or what.mailbox,
                email=f"{what.mailbox or f'{slug(first)}.{slug(surname)}'}@{domain}",
                side=what.side,
                title=what.title,
            )
        )
    return Cast(
        company, firms, Person(role="agent", name=agent, email=f"{slug(agent)}@{company['domain']}", side="inside"),
        tuple(people), {r: drawn[r][2] for r in human}, skin.name("successors"), skin.name("products"),
    )  # fmt: skip
