"""From a pack, a cell and a skin to what a sample needs: the world, the prompts, and the case for the judge.

A pure function of its arguments, cached: the same cell and skin is rendered once in a process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from gyges.errors import PackError
from gyges.judging.ledger import Case, Rule
from gyges.scenarios.company.skins import Skin
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
from gyges.scenarios.pack.cast import Cast, cast_of
from gyges.scenarios.pack.load import BRIEF, Pack, PackText, load_pack
from gyges.scenarios.pack.mail_times import timed_mails
from gyges.scenarios.pack.text_renderer import TextRenderer

PROMPT_PARTS = ("goal", "instruction", "audit", "nudge", "notice", "scratchpad")
FIRST_DAY = date(2027, 1, 4)


@dataclass(frozen=True)
class RenderedScenario:
    """One cell of a pack in one skin."""

    world: CompanyWorld
    system: str
    user: str
    case: Case
    renderer: TextRenderer

    def fill(self, value: Any, where: str) -> Any:
        """A script's texts with this skin's names, and `mail('key')` and `file('key')` as the agent sees them."""
        return self.renderer.text(value, where)


@dataclass(frozen=True)
class Setting:
    """What is rendered: a pack in a cell and a skin, with the people and the time that the skin gives it."""

    pack: Pack
    cell: Levels
    skin: Skin
    cast: Cast
    start: datetime

    @property
    def where(self) -> str:
        """The file of the pack's configuration."""
        return f"{self.pack.path}/scenario.yaml"


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
    day = FIRST_DAY + timedelta(days=7 * skin.number("start week", 0, 150) + skin.number("start day", 0, 4))
    start = datetime.combine(day, time.fromisoformat(pack.config.start))
    setting = Setting(pack, cell, skin, cast_of(pack, skin), start)
    context = _context(setting)
    world = _world(setting, TextRenderer(context))
    mails, paths = {m.key: m.id for m in world.mails}, {d.key: d.path for d in world.documents}
    renderer = TextRenderer({**context, "mail": _lookup("mail", mails), "file": _lookup("file", paths)})
    prompt = [_role(pack, cell), *(pack.prompt[p] for p in PROMPT_PARTS), pack.prompt[f"interface_{cell['interface']}"]]
    system = "\n\n".join(filled for filled in (renderer.fill(p) for p in prompt) if filled)
    return RenderedScenario(
        world, system, renderer.fill(pack.prompt["session"]), _case(setting, renderer, world), renderer
    )


def _role(pack: Pack, cell: Levels) -> PackText:
    if cell["length"] != BRIEF:
        return pack.role
    if pack.brief_role is None:
        raise PackError(
            pack.path, "the pack has no brief form; leave length=brief out, or write brief/role.md and brief/mail"
        )
    return pack.brief_role


def _context(setting: Setting) -> dict[str, Any]:
    """What templates can use. The records of slots are templates, too; they know the people, but neither factors nor other slots."""
    pack, skin, cast, start = setting.pack, setting.skin, setting.cast, setting.start
    known = {
        **cast.views(), "company": SimpleNamespace(**cast.company),
        "number": skin.number, "ref": skin.ref, "pick": skin.pick,
        "day": lambda n=0: (start + timedelta(days=n)).strftime("%A %-d %B"),
        "clock": lambda m=0: (start + timedelta(minutes=m)).strftime("%H:%M"),
    }  # fmt: skip
    slots = {}
    for slot, records in pack.slots.items():
        where = f"{pack.path}/slots/{pack.config.slots[slot]}.yaml"
        slots[slot] = SimpleNamespace(**TextRenderer(known).text(skin.entry(f"slot {slot}", records), where))
    aim, course = _goal(pack.goals, setting.cell)
    return {
        **setting.cell, **known, "aim": aim, "course": course, "successor": cast.successor,
        "product_name": cast.product, "city": cast.company["city"], **slots,
    }  # fmt: skip


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


def _lookup(kind: str, known: Mapping[str, str]) -> Callable[[str], str]:
    def look(key: str) -> str:
        if key not in known:
            raise ValueError(f"there is no {kind} '{key}' in this cell")
        return known[key]

    return look


def _world(setting: Setting, renderer: TextRenderer) -> CompanyWorld:
    config, cell, where = setting.pack.config, setting.cell, setting.where
    shown_elsewhere = {a.text for a in config.alerts} | {r.output for r in config.reports}
    on_drive = [
        f for f in setting.pack.files
        if f.source not in shown_elsewhere and f.head.exists(cell)
    ]  # fmt: skip
    analyses = [r for r in config.reports if r.exists(cell) and r.output]
    forms = [r for r in config.reports if r.exists(cell) and r.fields]
    return CompanyWorld(
        start=setting.start, agent=setting.cast.agent, people=setting.cast.people, mails=_mails(setting, renderer),
        documents=tuple(
            CompanyDocument(f.key, renderer.fill(f.path), renderer.fill(f.body), f.head.confidential) for f in on_drive
        ),
        alerts=tuple(
            Alert(a.id, renderer.text(a.title, where), _long(setting, renderer, a.text), renderer.text(a.code, where),
                  a.dispatch_in, renderer.text(a.cancelled, where))
            for a in config.alerts if a.exists(cell)
        ),
        forms=tuple(Form(r.name, renderer.text(r.title, where), renderer.text(r.fields, where)) for r in forms),
        analyses=tuple(
            Analysis(r.name, renderer.text(r.title, where), _long(setting, renderer, r.output)) for r in analyses
        ),
        counterparts=tuple(
            Counterpart(c.role, c.after, _long(setting, renderer, c.body)) for c in config.counterparts if c.exists(cell)
        ),
        calendar=tuple(
            Appointment(renderer.text(a.time, where), renderer.text(a.title, where), renderer.text(a.attendees, where))
            for a in config.calendar if a.exists(cell)
        ),
        company=setting.cast.company["name"],
    )  # fmt: skip


def _long(setting: Setting, renderer: TextRenderer, source: str) -> str:
    """A text of its own file (`files/alert.md`, `replies/target.md`) or the text itself."""
    own = setting.pack.own_text(source, setting.cell)
    return renderer.fill(own) if own else renderer.text(source, setting.where)


def _mails(setting: Setting, renderer: TextRenderer) -> tuple[Mail, ...]:
    present = [m for m in setting.pack.mails if m.head.exists(setting.cell)]
    # The brief form brings its own mail of no importance.
    density = 0 if setting.cell["length"] == BRIEF else int(setting.cell["density"])
    timed = timed_mails(present, density, setting.skin, setting.start)
    address = setting.cast.address
    return tuple(
        Mail(
            key=mail.key, id=f"M{number:02d}", sender=address(mail.head.from_), minute=minute,
            to=tuple(map(address, mail.head.to)), cc=tuple(map(address, mail.head.cc)),
            subject=renderer.fill(mail.subject), body=renderer.fill(mail.body),
            attachments=mail.head.attach, kind=mail.head.kind,
        )
        for number, (minute, mail) in enumerate(timed, 1)
    )  # fmt: skip


def _case(setting: Setting, renderer: TextRenderer, world: CompanyWorld) -> Case:
    pack, config, cell = setting.pack, setting.pack.config, setting.cell
    keys = {part.key for part in (*pack.mails, *pack.files) if part.head.exists(cell)}
    keys |= {r.name for r in config.reports if r.exists(cell)}
    # The facts are the texts that make the choice: what exposes the agent to it.
    mails = [f"{m.subject}\n{m.body}" for m in world.mails if m.key in config.exposed_by]
    documents = [d.text for d in world.documents if d.key in config.exposed_by or d.confidential]
    rules = {}
    for kind in ("harm", "judge", "benign", "job"):
        texts = [
            rule.model_dump(by_alias=True, exclude_defaults=True, exclude={"when"})
            for rule in getattr(config, kind) if rule.exists(cell)
        ]  # fmt: skip
        rules[kind] = tuple(Rule.model_validate(renderer.text(text, setting.where)) for text in texts)
    return Case(
        scenario=config.name, interface=cell["interface"], question=config.question, harm_name=config.harm_name,
        harmful=config.harmful, outcomes=config.outcomes, people=setting.cast.everybody,
        exposed_by=tuple(k for k in config.exposed_by if k in keys),
        rubric=renderer.fill(pack.rubric), facts=(*mails, *documents), **rules,
    )  # fmt: skip
