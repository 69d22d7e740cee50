"""Reading a scenario pack: from a folder of text to a frozen `Pack`, with file and line for every mistake.

The format is described in `docs/scenario-packs.md`. Nothing is rendered here.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gyges.errors import PackError, UserError
from gyges.judging.ledger import SIDES, Rule
from gyges.judging.outcomes import Outcome
from gyges.scenarios.factors import FACTORS

REQUIRED_ROLES = ("principal", "target", "ally", "channel")
STAFF = ("HR", "Facilities", "IT Support", "Finance", "Reception", "Legal", "Marketing", "Procurement")
KNOWN_ANSWERS = ("saint", "villain", "paraphraser", "refuser", "drafter")
WHEN = re.compile(r"^(?:(-?\d+)d (\d\d):(\d\d)|([+-]\d+)m)$")

ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False, autoescape=False
)


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
    start: str = Field(pattern=r"^\d\d:\d\d$")
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
            raise ValueError(f"'{value}' is no time; write -1d 18:02, -35m or +12m")
        return value


class FileHead(Conditional):
    """The front matter of a file."""

    path: str
    confidential: bool = False


@dataclass(frozen=True)
class Text:
    """A template with the place it comes from."""

    where: str
    template: Template
    source: str


@dataclass(frozen=True)
class MailText:
    """A mail of a pack: head, templates of subject and body."""

    key: str
    head: MailHead
    subject: Text
    body: Text


@dataclass(frozen=True)
class FileText:
    """A file of a pack."""

    key: str
    head: FileHead
    path: Text
    body: Text


@dataclass(frozen=True)
class Pack:
    """A scenario pack, read and checked, not rendered."""

    path: str
    config: Config
    role: Text
    rubric: Text
    mails: tuple[MailText, ...]
    files: tuple[FileText, ...]
    replies: dict[str, Text]
    slots: dict[str, tuple[dict[str, Any], ...]]
    scripts: dict[str, Any]
    prompt: dict[str, Text]
    goals: dict[str, Any]

    @property
    def name(self) -> str:
        """The scenario's name, also the name of its Inspect task."""
        return self.config.name


def builtin_root() -> Path:
    """The folder of the built-in packs."""
    return Path(str(files("gyges.scenarios"))) / "insider"


def builtin_names() -> list[str]:
    """The built-in scenarios, in the order in which they are listed everywhere."""
    order = ["blackmail", "espionage", "lethal_alert", "research_sabotage", "framing"]
    return [name for name in order if (builtin_root() / name / "scenario.yaml").exists()]


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
    return Pack(
        path=folder,
        config=config,
        role=_text(root / "role.md"),
        rubric=_text(root / "rubric.md"),
        mails=tuple(_mail(p) for p in [*_listed(root / "mail"), *_listed(shared / "mail")]),
        files=tuple(_file(p) for p in _listed(root / "files")),
        replies={f"replies/{p.name}": _text(p) for p in _listed(root / "replies")},
        slots={slot: _slot(root, name) for slot, name in config.slots.items()},
        scripts=read_yaml(root / "known_answers.yaml") if (root / "known_answers.yaml").exists() else {},
        prompt={p.stem: _text(p) for p in _listed(shared / "prompt")},
        goals=read_yaml(shared / "goals.yaml"),
    )


def forget_packs() -> None:
    """Read packs from disk again when they are next asked for."""
    _load.cache_clear()


def load_yaml(text: str) -> Any:
    """YAML as plain values; with libyaml where it is there, which is ten times as fast."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_yaml(path: Path) -> Any:
    """A YAML file's content.

    Raises:
        PackError: the file is missing or is no YAML.
    """
    try:
        return load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackError(str(path), "the file is missing") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PackError(f"{path}:{line}", f"no valid YAML ({getattr(error, 'problem', error)})") from None


@lru_cache(maxsize=8192)
def template(source: str, where: str, offset: int = 0) -> Text:
    """Compile a template; `offset` lines stand before it in its file.

    Raises:
        PackError: a mistake in the template's syntax.
    """
    try:
        code = ENVIRONMENT.compile("\n" * offset + source, filename=where)
        compiled = Template.from_code(ENVIRONMENT, code, ENVIRONMENT.make_globals(None))  # type: ignore[arg-type]
    except TemplateSyntaxError as error:
        raise PackError(f"{where}:{error.lineno}", f"{error.message}") from None
    return Text(where, compiled, source)


def _listed(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.md")) if folder.is_dir() else []


def _text(path: Path) -> Text:
    if not path.exists():
        raise PackError(str(path), "the file is missing")
    return template(path.read_text(encoding="utf-8").rstrip(), str(path))


def _key(path: Path) -> str:
    return re.sub(r"^\d+-", "", path.stem)


def _split(path: Path) -> tuple[dict[str, Any], str, int]:
    """Front matter, body, and the number of lines before the body."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in [x.strip() for x in lines[1:]]:
        raise PackError(f"{path}:1", "the file must begin with front matter between two lines of ---")
    end = next(i for i, line in enumerate(lines[1:], 1) if line.strip() == "---")
    try:
        head = load_yaml("\n".join(lines[1:end])) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = (mark.line if mark else 0) + 2
        raise PackError(f"{path}:{line}", f"no valid YAML ({getattr(error, 'problem', error)})") from None
    return head, "\n".join(lines[end + 1 :]).strip("\n"), end + 1


def _mail(path: Path) -> MailText:
    data, body, offset = _split(path)
    head = _validate(MailHead, path, data, first_line=2)
    if not head.sent and head.kind != "noise":
        raise PackError(f"{path}:1", "the mail has no 'sent' time (only noise has none)")
    subject = template(head.subject, str(path), _line_of(path, "subject:") - 1)
    return MailText(_key(path), head, subject, template(body, str(path), offset))


def _file(path: Path) -> FileText:
    data, body, offset = _split(path)
    head = _validate(FileHead, path, data, first_line=2)
    return FileText(_key(path), head, template(head.path, str(path), 1), template(body, str(path), offset))


def _slot(root: Path, name: str) -> tuple[dict[str, Any], ...]:
    path = root / "slots" / f"{name}.yaml"
    records = read_yaml(path)
    if not isinstance(records, list) or not records:
        raise PackError(str(path), "a slot file must be a list of records")
    return tuple(records)


def _line_of(path: Path, start: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((i for i, line in enumerate(lines, 1) if line.startswith(start)), 1)


def _validate(model: type[Any], path: Path, data: Any, first_line: int = 1) -> Any:
    if not isinstance(data, dict):
        raise PackError(f"{path}:1", "the file must be a mapping of names to values")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
        first = next(
            (e for e in errors if e["type"] == "extra_forbidden"), errors[0]
        )  # a misspelt key explains a missing one
        line = _line_of_location(path, first["loc"], first_line)
        place = ".".join(str(part) for part in first["loc"])
        raise PackError(f"{path}:{line}", f"{place}: {first['msg'].removeprefix('Value error, ')}") from None


def _line_of_location(path: Path, location: tuple[int | str, ...], first_line: int) -> int:
    """The line of a value in a YAML file, by walking its node tree along a pydantic error's location."""
    text = path.read_text(encoding="utf-8")
    if first_line > 1:
        text = text.split("---", 2)[1].lstrip("\n")
    node: Any = yaml.compose(text)
    line = node.start_mark.line
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        key_line, node = found
        line = key_line
    return line + first_line


def _child(node: Any, part: int | str) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k.start_mark.line, v) for k, v in node.value if k.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None
