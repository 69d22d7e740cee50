"""Reading a scenario pack: from a folder of text to a frozen `Pack`, with file and line for every mistake.

The format is described in `docs/scenario-packs.md`. Nothing is rendered here.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import StrictUndefined, Template, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ValidationError

from gyges.errors import PackError, UserError
from gyges.judging.ledger import SIDES
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.factors import Levels
from gyges.scenarios.family import ScenarioInfo
from gyges.scenarios.insider.words import WORDS
from gyges.scenarios.pack.format import Config, FileHead, MailHead
from gyges.scenarios.pack.scripts import Script
from gyges.scenarios.pack.yaml_files import line_of, read_front_matter, read_text, read_yaml

LISTED_FIRST = ("blackmail", "espionage", "lethal_alert", "research_sabotage", "framing")
"""An order that results of all built-in scenarios hang on; others follow by their names."""
STAFF = ("HR", "Facilities", "IT Support", "Finance", "Reception", "Legal", "Marketing", "Procurement")
PackModel = TypeVar("PackModel", bound=BaseModel)
BRIEF = "brief"
"""The folder of a pack's brief form, and its level of the factor `length`."""
KNOWN_ANSWERS = ("saint", "villain", "paraphraser", "refuser", "drafter")

ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False, autoescape=False
)


@dataclass(frozen=True)
class PackText:
    """A template with the place it comes from: `offset` lines stand before it in its file."""

    where: str
    template: Template
    source: str
    offset: int = 0


@dataclass(frozen=True)
class MailText:
    """A mail of a pack: head, templates of subject and body."""

    key: str
    head: MailHead
    subject: PackText
    body: PackText


@dataclass(frozen=True)
class FileText:
    """A file of a pack."""

    key: str
    head: FileHead
    path: PackText
    body: PackText

    @property
    def source(self) -> str:
        """How the configuration names it."""
        return f"files/{Path(self.body.where).name}"


Part = TypeVar("Part", MailText, FileText)


@dataclass(frozen=True)
class Pack:
    """A scenario pack, read and checked, not rendered."""

    path: str
    config: Config
    role: PackText
    brief_role: PackText | None
    rubric: PackText
    mails: tuple[MailText, ...]
    files: tuple[FileText, ...]
    replies: dict[str, PackText]
    slots: dict[str, tuple[dict[str, Any], ...]]
    scripts: dict[str, Any]
    prompt: dict[str, PackText]
    goals: dict[str, Any]

    @property
    def name(self) -> str:
        """The scenario's name, also the name of its Inspect task."""
        return self.config.name

    @property
    def lengths(self) -> tuple[str, ...]:
        """The levels of the factor `length` that the pack has."""
        return FACTORS["length"] if self.brief_role else FACTORS["length"][:1]

    def own_text(self, source: str, cell: Levels) -> PackText | None:
        """A text in a file of its own, as the configuration names it: `files/alert.md`, `replies/target.md`; in a cell of the brief form its brief one, if any."""
        named = [file for file in self.files if file.source == source]
        here = [file for file in named if file.head.exists(cell)]
        return (here or named)[0].body if named else self.replies.get(source)

    @property
    def own_names(self) -> set[str]:
        """What `own_text` knows."""
        return {*self.replies, *(file.source for file in self.files)}

    @cached_property
    def info(self) -> ScenarioInfo:
        """The pack as evaluation, analysis and pages know it."""
        c = self.config
        return ScenarioInfo(
            name=c.name, title=c.title, version=c.version, summary=c.summary, question=c.question,
            harm_name=c.harm_name, harmful=tuple(map(str, c.harmful)), treatment=c.treatment, control=c.control,
            factors=FACTORS, words=WORDS,
        )  # fmt: skip


def builtin_root() -> Path:
    """The folder of the built-in packs."""
    return Path(str(files("gyges.scenarios"))) / "insider"


def builtin_names() -> list[str]:
    """The built-in scenarios, in the order in which they are listed everywhere: every folder with a `scenario.yaml`."""
    found = sorted(path.parent.name for path in builtin_root().glob("*/scenario.yaml"))
    return sorted(found, key=lambda name: LISTED_FIRST.index(name) if name in LISTED_FIRST else len(LISTED_FIRST))


def load_pack(name_or_path: str) -> Pack:
    """A built-in pack by name, or one of the user's by path.

    Raises:
        UserError: there is no such pack.
        PackError: something in it is wrong; names file and line.
    """
    if name_or_path in builtin_names():
        return _load(str(builtin_root() / name_or_path))
    path = Path(name_or_path).expanduser()
    if not path.exists():
        known = ", ".join(builtin_names())
        raise UserError(f"unknown scenario '{name_or_path}'", f"Known: {known}; or give the path of a pack folder")
    if not (path / "scenario.yaml").exists():
        raise UserError(f"'{name_or_path}' has no scenario.yaml", "Give the folder of a scenario pack")
    return _load(str(path.resolve()))


@cache
def _load(folder: str) -> Pack:
    root, shared = Path(folder), builtin_root() / "shared"
    config = _validate(Config, root / "scenario.yaml", read_yaml(root / "scenario.yaml"))
    pack = Pack(
        path=folder,
        config=config,
        role=_text(root / "role.md"),
        brief_role=_text(root / BRIEF / "role.md") if (root / BRIEF).is_dir() else None,
        rubric=_text(root / "rubric.md"),
        mails=(*_in_both_lengths(root, "mail", _mail), *(_mail(p) for p in _listed(shared / "mail"))),
        files=_in_both_lengths(root, "files", _file),
        replies={f"replies/{p.name}": _text(p) for p in _listed(root / "replies")},
        slots={slot: _slot(root, name) for slot, name in config.slots.items()},
        scripts=_scripts(root / "known_answers.yaml"),
        prompt={p.stem: _text(p) for p in _listed(shared / "prompt")},
        goals=read_yaml(shared / "goals.yaml"),
    )
    for path, location, problem in _lost_names(pack):
        raise PackError(f"{path}:{line_of(path, location)}", problem)
    return pack


def forget_packs() -> None:
    """Read packs from disk again when they are next asked for."""
    _load.cache_clear()


@lru_cache(maxsize=8192)
def template(source: str, where: str, offset: int = 0) -> PackText:
    """Compile a template; `offset` lines stand before it in its file.

    Raises:
        PackError: a mistake in the template's syntax.
    """
    try:
        code = ENVIRONMENT.compile("\n" * offset + source, filename=where)
        compiled = Template.from_code(ENVIRONMENT, code, ENVIRONMENT.make_globals(None))  # type: ignore[arg-type]
    except TemplateSyntaxError as error:
        raise PackError(f"{where}:{error.lineno}", f"{error.message}") from None
    return PackText(where, compiled, source, offset)


def _listed(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.md")) if folder.is_dir() else []


def _text(path: Path) -> PackText:
    return template(read_text(path).rstrip(), str(path))


def _key(path: Path) -> str:
    return re.sub(r"^\d+-", "", path.stem)


def _mail(path: Path) -> MailText:
    data, body, offset = read_front_matter(path)
    head = _validate(MailHead, path, data)
    if not head.sent and head.kind != "noise":
        raise PackError(f"{path}:1", "the mail has no 'sent' time (only noise has none)")
    subject = template(head.subject, str(path), line_of(path, ("subject",)) - 1)
    return MailText(_key(path), head, subject, template(body, str(path), offset))


def _file(path: Path) -> FileText:
    data, body, offset = read_front_matter(path)
    head = _validate(FileHead, path, data)
    return FileText(
        _key(path),
        head,
        template(head.path, str(path), line_of(path, ("path",)) - 1),
        template(body, str(path), offset),
    )


def _in_both_lengths(root: Path, folder: str, read: Callable[[Path], Part]) -> tuple[Part, ...]:
    """The mails or files of a pack; where it has a brief form, each is there in one of the two alone."""
    full, brief = ([read(p) for p in _listed(at / folder)] for at in (root, root / BRIEF))
    if not (root / BRIEF).is_dir():
        return tuple(full)
    return (*(_only_in("full", part) for part in full), *(_only_in("brief", part) for part in brief))


def _only_in(length: str, part: Part) -> Part:
    when = {**part.head.when, "length": (length,)}
    return replace(part, head=part.head.model_copy(update={"when": when}))


def _slot(root: Path, name: str) -> tuple[dict[str, Any], ...]:
    path = root / "slots" / f"{name}.yaml"
    records = read_yaml(path)
    if not isinstance(records, list) or not records:
        raise PackError(f"{path}:1", "a slot file must be a list of records")
    for i, record in enumerate(records):
        if not isinstance(record, dict) or not record or not all(isinstance(field, str) for field in record):
            raise PackError(f"{path}:{line_of(path, (i,))}", f"record {i + 1} must be a mapping of names to values")
    return tuple(records)


def _scripts(path: Path) -> dict[str, Any]:
    """The known-answer scripts; a pack need not have any."""
    if not path.exists():
        return {}
    scripts = read_yaml(path)
    if not isinstance(scripts, dict):
        raise PackError(f"{path}:1", f"the file must be a mapping of names to scripts ({', '.join(KNOWN_ANSWERS)})")
    for name, script in scripts.items():
        _validate(Script, path, script, (name,))
    return scripts


def _validate(model: type[PackModel], path: Path, data: object, inside: tuple[int | str, ...] = ()) -> PackModel:
    """Data of a file as a model; `inside` is where in the file it stands."""
    if not isinstance(data, dict):
        place = f"'{inside[-1]}'" if inside else "the file"
        raise PackError(f"{path}:{line_of(path, inside)}", f"{place} must be a mapping of names to values")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
        first = next(
            (e for e in errors if e["type"] == "extra_forbidden"), errors[0]
        )  # a misspelt key explains a missing one
        location = (*inside, *first["loc"])
        place = ".".join(str(part) for part in location)
        problem = f"{place}: {first['msg'].removeprefix('Value error, ')}"
        raise PackError(f"{path}:{line_of(path, location)}", problem) from None


# ---- names that must lead somewhere ---------------------------------------------------------------------------------

Lost = tuple[Path, tuple[int | str, ...], str]
"""A name that leads nowhere: the file, where in its YAML it stands, and what is wrong."""


def _lost_names(pack: Pack) -> Iterator[Lost]:
    """Roles, mails, files, alerts and forms that something names and that do not exist: a rule about them would never hold."""
    roles = {*pack.config.roles, *(f"staff{i}" for i in range(1, len(STAFF) + 1)), "all", "inbox", "agent"}
    files = {f.key for f in pack.files}
    for mail in pack.mails:
        path = Path(mail.body.where)
        yield from _lost(path, ("from",), (mail.head.from_,), roles, "role")
        yield from _lost(path, ("to",), mail.head.to, roles, "role")
        yield from _lost(path, ("cc",), mail.head.cc, roles, "role")
        yield from _lost(path, ("attach",), mail.head.attach, files, "file")
    yield from _lost_in_config(pack, roles, files | {m.key for m in pack.mails})


def _lost_in_config(pack: Pack, roles: set[str], texts: set[str]) -> Iterator[Lost]:
    path, config = Path(pack.path) / "scenario.yaml", pack.config
    human = {r for r in roles if r not in config.roles or not config.roles[r].mailbox} - {"all", "inbox", "agent"}
    for name, role in config.roles.items():
        yield from _lost(
            path, ("roles", name, "surname_of"), (role.surname_of,) * bool(role.surname_of), human, "person"
        )
    yield from _lost(path, ("exposed_by",), config.exposed_by, texts, "mail or file")
    for i, counterpart in enumerate(config.counterparts):
        yield from _lost(path, ("counterparts", i, "role"), (counterpart.role,), roles, "role")
    for location, text in long_texts(config):
        if re.fullmatch(r"(files|replies)/[\w-]+\.md", text):
            yield from _lost(path, location, (text,), pack.own_names, "file of the pack")
    known = {
        "to": ({*roles, *(f"side:{side}" for side in SIDES)}, "role"), "path": (texts, "file"),
        "carries": (texts | {r.name for r in config.reports}, "mail or file"),
        "informed_by": (texts | {r.name for r in config.reports}, "mail or file"),
        "alert": ({a.id for a in config.alerts}, "alert"), "form": ({r.name for r in config.reports}, "form"),
    }  # fmt: skip
    known["only_to"] = known["to"]
    for part in ("harm", "judge", "benign", "job"):
        for i, rule in enumerate(getattr(config, part)):
            for field, (names, what) in known.items():
                value: str | tuple[str, ...] | None = getattr(rule, field)
                given = () if value is None else (value,) if isinstance(value, str) else value
                yield from _lost(path, (part, i, field), given, names, what)


def long_texts(config: Config) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """The texts of the configuration that may stand in files of their own, with their places."""
    yield from ((("alerts", i, "text"), alert.text) for i, alert in enumerate(config.alerts))
    yield from ((("reports", i, "output"), report.output) for i, report in enumerate(config.reports))
    yield from ((("counterparts", i, "body"), counterpart.body) for i, counterpart in enumerate(config.counterparts))


def _lost(
    path: Path, location: tuple[int | str, ...], names: tuple[str, ...], known: set[str], what: str
) -> Iterator[Lost]:
    for i, name in enumerate(names):
        if name not in known and "{" not in name:  # a name that a skin fills in is only known then
            yield path, (*location, i), f"unknown {what} '{name}'; known: {', '.join(sorted(known)) or 'none'}"
