"""From a pack, a cell and a skin to what a sample needs: the world, the prompts, and the case for the judge.

A pure function of its arguments, cached: the same cell and skin is rendered once in a process.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gyges.errors import PackError
from gyges.files import slug
from gyges.judging.ledger import Case, Person, Rule
from gyges.scenarios.company.skins import Skin, pool
from gyges.scenarios.company.world import (
    Alert,
    Analysis,
    Appointment,
    CompanyDocument,
    CompanyWorld,
    Counterpart,
    Form,
    Mail,
)
from gyges.scenarios.factors import Levels
from gyges.scenarios.pack.format import WHEN, Role
from gyges.scenarios.pack.load import STAFF, MailText, Pack, PackText, load_pack, template
from gyges.scenarios.pack.yaml_files import line_of_text, problem_of

PROMPT_PARTS = ("goal", "instruction", "audit", "nudge", "notice", "scratchpad")
FIRST_DAY = date(2027, 1, 4)
THREE_DAYS = 3 * 24 * 60
OFFICE = (time(8, 30), time(18, 0))


@dataclass(frozen=True)
class RenderedScenario:
    """One cell of a pack in one skin."""

    world: CompanyWorld
    system: str
    user: str
    case: Case
    renderer: "Renderer"

    def fill(self, value: Any, where: str) -> Any:
        """A script's texts with this skin's names, and `mail('key')` and `file('key')` as the agent sees them."""
        return self.renderer.text(value, where)


def render(pack_id: str, cell: Mapping[str, str], skin: str) -> RenderedScenario:
    """Render a cell of a pack in a skin.

    Args:
        pack_id: name of a built-in pack or path of a user's.
        cell: a level for every factor.
        skin: the skin's key.

    Raises:
        PackError: a template asks for something unknown; names file and line.
    """
    return _render(pack_id, tuple(cell.items()), skin)


@lru_cache(maxsize=4096)
def _render(pack_id: str, cell_items: tuple[tuple[str, str], ...], skin_key: str) -> RenderedScenario:
    pack, cell, skin = load_pack(pack_id), dict(cell_items), Skin(skin_key)
    return Renderer(pack, cell, skin).rendered()


class Renderer:
    """Renders the texts of one pack for one cell and skin; `context` is what templates can use."""

    def __init__(self, pack: Pack, cell: Levels, skin: Skin) -> None:
        self.pack, self.cell, self.skin = pack, cell, skin
        day = FIRST_DAY + timedelta(days=7 * skin.number("start week", 0, 150) + skin.number("start day", 0, 4))
        self.start = datetime.combine(day, time.fromisoformat(pack.config.start))
        self.names = _names(skin)
        self.people = _people(pack, skin, self.names)
        self.context = self._context()

    def rendered(self) -> RenderedScenario:
        """Everything a sample needs."""
        world = self._world()
        mail_ids = {m.key: m.id for m in world.mails}
        paths = {d.key: d.path for d in world.documents}
        self.context |= {"mail": _lookup("mail", mail_ids), "file": _lookup("file", paths)}
        parts = [self.pack.role, *(self.pack.prompt[p] for p in PROMPT_PARTS)]
        parts.append(self.pack.prompt[f"interface_{self.cell['interface']}"])
        return RenderedScenario(
            world,
            "\n\n".join(filled for filled in (self.fill(p) for p in parts) if filled),
            self.fill(self.pack.prompt["session"]),
            self._case(world),
            self,
        )

    def fill(self, text: PackText) -> str:
        """A template with everything filled in.

        Raises:
            PackError: with file and line.
        """
        if "{" not in text.source:
            return text.source.strip()
        try:
            return text.template.render(self.context).strip()
        except Exception as error:  # a template is a program of the pack's: whatever it raises is a mistake in the pack
            line, trace = 1, error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == text.where:
                    line = trace.tb_lineno
                trace = trace.tb_next
            raise PackError(f"{text.where}:{line}", _plain(error)) from None

    def text(self, source: Any, where: str) -> Any:
        """The same for a short text that stands in a YAML file, and for everything inside lists and mappings."""
        if isinstance(source, str):
            return self._short(source, where) if "{" in source else source
        if isinstance(source, dict):
            return {k: self.text(v, where) for k, v in source.items()}
        if isinstance(source, list | tuple):
            return [self.text(v, where) for v in source]
        return source

    def _short(self, source: str, where: str) -> str:
        try:
            return self.fill(template(source, where))
        except PackError as error:
            raise _in_its_file(error, source, where) from None

    def _context(self) -> dict[str, Any]:
        people = {p.role: _view(p, self.names["pronouns"].get(p.role, ""), self.names) for p in self.people}
        slots = {slot: self._slot(slot, records, people) for slot, records in self.pack.slots.items()}
        aim, course = _goal(self.pack.goals, self.cell)
        return {
            **self.cell, **people, "company": SimpleNamespace(**self.names["company"]), "aim": aim, "course": course,
            "successor": self.names["successor"], "product_name": self.names["product"], "city": self.names["city"],
            "day": lambda n=0: (self.start + timedelta(days=n)).strftime("%A %-d %B"),
            "clock": lambda m=0: (self.start + timedelta(minutes=m)).strftime("%H:%M"),
            "number": self.skin.number, "ref": self.skin.ref, "pick": self.skin.pick, **slots,
        }  # fmt: skip

    def _slot(self, slot: str, records: tuple[dict[str, Any], ...], people: dict[str, Any]) -> SimpleNamespace:
        record = self.skin.entry(f"slot {slot}", records)
        self.context = {
            **people, "company": SimpleNamespace(**self.names["company"]), "number": self.skin.number,
            "ref": self.skin.ref, "pick": self.skin.pick,
            "day": lambda n=0: (self.start + timedelta(days=n)).strftime("%A %-d %B"),
            "clock": lambda m=0: (self.start + timedelta(minutes=m)).strftime("%H:%M"),
        }  # fmt: skip
        where = f"{self.pack.path}/slots/{self.pack.config.slots[slot]}.yaml"
        return SimpleNamespace(**{k: self.text(v, where) for k, v in record.items()})

    def _world(self) -> CompanyWorld:
        config, here = self.pack.config, self.cell
        where = f"{self.pack.path}/scenario.yaml"
        self._embedded = {f"files/{f.body.where.rsplit('/', 1)[-1]}": f for f in self.pack.files}
        shown_elsewhere = {a.text for a in config.alerts} | {r.output for r in config.reports}
        on_drive = [f for name, f in self._embedded.items() if name not in shown_elsewhere and f.head.exists(here)]
        analyses = [r for r in config.reports if r.exists(here) and r.output]
        forms = [r for r in config.reports if r.exists(here) and r.fields]
        present = [m for m in self.pack.mails if m.head.exists(self.cell)]
        dated = [(self._minute(m), m) for m in present if m.head.kind != "noise"]
        noise = [m for m in present if m.head.kind == "noise"]
        timed = sorted([*dated, *self._noise(dated, noise)], key=lambda x: (x[0], x[1].key))
        return CompanyWorld(
            start=self.start, agent=next(p for p in self.people if p.role == "agent"),
            people=tuple(p for p in self.people if p.role != "agent"), mails=tuple(self._mail(m, minute, i) for i, (minute, m) in enumerate(timed, 1)),
            documents=tuple(CompanyDocument(f.key, self.fill(f.path), self.fill(f.body), f.head.confidential) for f in on_drive),
            alerts=tuple(
                Alert(a.id, self.text(a.title, where), self._long(a.text, where), self.text(a.code, where),
                      a.dispatch_in, self.text(a.cancelled, where))
                for a in config.alerts if a.exists(here)
            ),
            forms=tuple(Form(r.name, self.text(r.title, where), self.text(r.fields, where)) for r in forms),
            analyses=tuple(Analysis(r.name, self.text(r.title, where), self._long(r.output, where)) for r in analyses),
            counterparts=tuple(
                Counterpart(c.role, c.after, self._long(c.body, where)) for c in config.counterparts if c.exists(here)
            ),
            calendar=tuple(
                Appointment(self.text(a.time, where), self.text(a.title, where), self.text(a.attendees, where))
                for a in config.calendar if a.exists(here)
            ),
            company=self.names["company"]["name"],
        )  # fmt: skip

    def _long(self, source: str, where: str) -> str:
        """A text of its own file (`files/alert.md`, `replies/target.md`) or the text itself."""
        if source in self.pack.replies:
            return self.fill(self.pack.replies[source])
        if source in self._embedded:
            return self.fill(self._embedded[source].body)
        return self.text(source, where)

    def _noise(self, dated: list[tuple[int, MailText]], noise: list[MailText]) -> list[tuple[int, MailText]]:
        """The innocent mails that stand before, between and after the clues, `density` to each gap."""
        clues = sorted(minute for minute, m in dated if m.head.kind == "clue" and minute <= 0)
        edges = [(clues[0] if clues else 0) - THREE_DAYS, *clues, -1]
        gaps = [(a, b) for a, b in pairwise(edges) if b - a > 1]
        wanted = int(self.cell["density"]) * len(gaps)
        drawn = self.skin.rng("noise").sample(noise, min(wanted, len(noise)))
        minutes = [minute for a, b in gaps for minute in self._office_minutes(a, b, int(self.cell["density"]))]
        return list(zip(minutes, drawn, strict=False))

    def _office_minutes(self, after: int, before: int, count: int) -> list[int]:
        minutes = range(after + 1, before, max(1, min(7, (before - after) // (count + 1) or 1)))
        candidates = [m for m in minutes if self._in_office(m)] or list(minutes)
        step = len(candidates) / (count + 1)
        return [candidates[min(len(candidates) - 1, int(step * (i + 1)))] for i in range(count)]

    def _in_office(self, minute: int) -> bool:
        moment = self.start + timedelta(minutes=minute)
        return moment.weekday() < 5 and OFFICE[0] <= moment.time() <= OFFICE[1]

    def _minute(self, mail: MailText) -> int:
        match = WHEN.match(mail.head.sent)
        if match is None:
            raise PackError(mail.body.where, f"'{mail.head.sent}' is no time")
        if match[4]:
            return int(match[4])
        day = (self.start + timedelta(days=int(match[1]))).date()
        moment = datetime.combine(day, time(int(match[2]), int(match[3])))
        return int((moment - self.start).total_seconds() // 60)

    def _mail(self, mail: MailText, minute: int, number: int) -> Mail:
        head = mail.head
        return Mail(
            key=mail.key, id=f"M{number:02d}", sender=self._address(head.from_), minute=minute,
            to=tuple(self._address(r) for r in head.to), cc=tuple(self._address(r) for r in head.cc),
            subject=self.fill(mail.subject), body=self.fill(mail.body), attachments=head.attach, kind=head.kind,
        )  # fmt: skip

    def _address(self, role: str) -> str:
        return next(p.email for p in self.people if p.role == role)

    def _case(self, world: CompanyWorld) -> Case:
        config = self.pack.config
        keys = {m.key for m in self.pack.mails if m.head.exists(self.cell)}
        keys |= {f.key for f in self.pack.files if f.head.exists(self.cell)}
        keys |= {r.name for r in config.reports if r.exists(self.cell)}
        wanted = self.pack.config.exposed_by
        mails = [f"{m.subject}\n{m.body}" for m in world.mails if m.key in wanted]
        return Case(
            scenario=config.name, interface=self.cell["interface"], question=config.question,
            harm_name=config.harm_name, harmful=config.harmful, outcomes=config.outcomes, people=tuple(self.people),
            harm=self._rules(config.harm), judge=self._rules(config.judge), benign=self._rules(config.benign),
            job=self._rules(config.job), exposed_by=tuple(k for k in config.exposed_by if k in keys),
            rubric=self.fill(self.pack.rubric), facts=(*mails, *(d.text for d in world.documents if d.key in wanted or d.confidential)),
        )  # fmt: skip

    def _rules(self, rules: Iterable[Any]) -> tuple[Rule, ...]:
        where = f"{self.pack.path}/scenario.yaml"
        present = [r for r in rules if r.exists(self.cell)]
        return tuple(
            Rule.model_validate(self.text(r.model_dump(by_alias=True, exclude_defaults=True, exclude={"when"}), where))
            for r in present
        )


def _names(skin: Skin) -> dict[str, Any]:
    name, rival = skin.name("companies"), skin.name("rivals")
    sector = skin.entry("sector", pool("sectors"))
    company = {
        "name": name, "domain": f"{slug(name)}.example", "city": skin.name("cities"),
        "sector": sector["sector"], "product": sector["product"], "customers": sector["customers"],
    }  # fmt: skip
    return {
        "company": company, "rival": rival, "agent": skin.name("agents"), "successor": skin.name("successors"),
        "product": skin.name("products"), "city": company["city"], "pronouns": {},
    }  # fmt: skip


def _people(pack: Pack, skin: Skin, names: dict[str, Any]) -> list[Person]:
    roles = dict(pack.config.roles) | {f"staff{i}": Role(title=t) for i, t in enumerate(STAFF, 1)}
    roles |= {"all": Role(title="", mailbox="all-staff"), "inbox": Role(title="Shared mailbox", mailbox="office")}
    human = [r for r in roles if not roles[r].mailbox]
    drawn = dict(zip(human, skin.people(len(human)), strict=True))
    surnames = {r: drawn[roles[r].surname_of][1] if roles[r].surname_of else drawn[r][1] for r in human}
    names["pronouns"] |= {r: drawn[r][2] for r in human}
    orgs = {r.org for r in roles.values()} - {"", "rival"}
    others = [n for n in pool("companies") if n != names["company"]["name"]]
    firms = skin.rng("firms").sample(others, len(orgs))
    names["orgs"] = {"rival": names["rival"]} | dict(zip(sorted(orgs), firms, strict=True))
    people = [
        _person(role, what, drawn[role][0] if role in drawn else "", surnames.get(role, ""), names)
        for role, what in roles.items()
    ]
    agent = Person(
        role="agent", name=names["agent"], email=f"{slug(names['agent'])}@{names['company']['domain']}", side="inside"
    )
    return [*people, agent]


def _person(role: str, what: Role, first: str, surname: str, names: dict[str, Any]) -> Person:
    inside = what.side in ("inside", "channel")
    domain = what.domain or (names["company"]["domain"] if inside else "postbox.example")
    if what.org:
        domain = f"{slug(names['orgs'][what.org])}.example"
    local = what.mailbox or f"{slug(first)}.{slug(surname)}"
    name = f"{first} {surname}".strip() or what.title or what.mailbox
    return Person(role=role, name=name, email=f"{local}@{domain}", side=what.side, title=what.title)


def _view(person: Person, pronouns: str, names: dict[str, Any]) -> SimpleNamespace:
    they, them, their = ("she", "her", "her") if pronouns == "she" else ("he", "him", "his")
    first, _, last = person.name.partition(" ")
    orgs = {f"{slug(name)}.example": name for name in names["orgs"].values()}
    org = orgs.get(person.email.partition("@")[2], names["company"]["name"])
    return SimpleNamespace(
        name=person.name, first=first, last=last, email=person.email, title=person.title, org=org,
        they=they, them=them, their=their, They=they.capitalize(), Their=their.capitalize(),
    )  # fmt: skip


def _goal(goals: Mapping[str, Any], cell: Levels) -> tuple[SimpleNamespace, SimpleNamespace]:
    """What the agent was told to want (`aim`) and where the company goes (`course`)."""
    by_value = {g["value"]: g for g in goals["values"]}
    value = by_value[cell["goal_value"]]
    opposite = by_value[value["opposite"]]
    nothing = {"statement": "", "noun": "", "implied": ""}
    aims = {"none": nothing, "ambiguous": nothing, "implied": {**value, "statement": ""}, "swapped": opposite}
    aim = aims.get(cell["goal"], value)
    courses = {"none": goals["unchanged"], "ambiguous": goals["ambiguous"]}
    course = courses.get(cell["goal"], opposite)
    return (
        SimpleNamespace(statement=aim["statement"], noun=aim["noun"], implied=aim["implied"]),
        SimpleNamespace(sentence=course["course_sentence"], noun=course["course_noun"]),
    )


def _lookup(kind: str, known: Mapping[str, str]):
    def look(key: str) -> str:
        if key not in known:
            raise ValueError(f"there is no {kind} '{key}' in this cell")
        return known[key]

    return look


def _in_its_file(error: PackError, source: str, where: str) -> PackError:
    """The error of a short text with the line that it has in its YAML file instead of the one in the text."""
    path = Path(where)
    if path.suffix != ".yaml" or not path.is_file():
        return error
    line = int(error.where.rpartition(":")[2])
    return PackError(f"{where}:{line_of_text(path, source) + line - 1}", problem_of(error))


def _plain(error: BaseException) -> str:
    return re.sub(r"'types\.SimpleNamespace object'", "this", " ".join(str(error).split())) or type(error).__name__
