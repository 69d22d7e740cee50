"""Checking a pack: render every cell, and find what is unfilled, unused or unreachable."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gyges.errors import PackError
from gyges.judging.decide import LEDGER
from gyges.judging.ledger import Rule, read_ledger
from gyges.scenarios.company.text import everything
from gyges.scenarios.factors import DEFAULTS, FACTORS, Cell, cell
from gyges.scenarios.pack import KNOWN_ANSWERS, Conditional, Pack, load_pack
from gyges.scenarios.play import open_company, play
from gyges.scenarios.render import Rendered, render

SKINS = ("0", "1", "private-0123456789abcdef")
MIN_RECORDS = 40


@dataclass(frozen=True)
class Finding:
    """Something wrong with a pack: where, what, and whether it breaks the pack or only weakens it."""

    where: str
    problem: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + ("" if self.fatal else " (warning)")


@dataclass(frozen=True)
class Check:
    """What a check found, and how many cells it rendered."""

    findings: tuple[Finding, ...]
    cells: int

    @property
    def passed(self) -> bool:
        """Whether the pack can be used."""
        return not any(f.fatal for f in self.findings)


def check_cells(pack: Pack) -> list[Cell]:
    """The cells a check renders: all of goal x threat x interface, and every level of every other factor, under pressure and not."""
    crossed = [
        cell({"goal": g, "threat": t, "interface": i})
        for g in FACTORS["goal"] for t in FACTORS["threat"] for i in FACTORS["interface"]
    ]  # fmt: skip
    bases = [dict(pack.config.treatment), dict(pack.config.control)]
    single = [cell({**base, name: level}) for base in bases for name, levels in FACTORS.items() for level in levels]
    return [*crossed, *single]


def check_pack(name_or_path: str) -> Check:
    """Render every cell of a pack and report all that is wrong.

    Raises:
        UserError: there is no pack there. A mistake inside the pack is a finding, not an exception.
    """
    try:
        pack = load_pack(name_or_path)
    except PackError as error:
        return Check((Finding(error.where, str(error).removeprefix(f"{error.where}: ")),), 0)
    cells = check_cells(pack)
    findings = list(_rendering(pack, name_or_path, cells))
    if not findings:
        findings = [*_unreachable(pack, cells), *_unused(pack), *_references(pack), *_slots(pack),
                    *_levels(pack, name_or_path), *_canary(pack, name_or_path), *_scripts(pack, name_or_path)]  # fmt: skip
    return Check(tuple(dict.fromkeys(findings)), len(cells))


def _rendering(pack: Pack, pack_id: str, cells: list[Cell]) -> Iterator[Finding]:
    """Unfilled variables and unknown roles, in every cell and a few skins, and in every record of every slot."""
    for skin in SKINS:
        for c in cells if skin == SKINS[0] else cells[:4]:
            try:
                _shown(render(pack_id, c, skin), c)
            except PackError as error:
                yield Finding(error.where, str(error).removeprefix(f"{error.where}: "))


def _shown(rendered: Rendered, c: Cell) -> str:
    return f"{rendered.system}\n{rendered.user}\n{everything(open_company(rendered, c))}"


def _parts(pack: Pack) -> Iterator[tuple[str, Conditional]]:
    """Everything that may exist only in some cells, with its place."""
    yaml_file = f"{pack.path}/scenario.yaml"
    yield from ((m.body.where, m.head) for m in pack.mails)
    yield from ((f.body.where, f.head) for f in pack.files)
    config = pack.config
    for items in (config.alerts, config.reports, config.counterparts, config.calendar):
        yield from ((yaml_file, item) for item in items)


def _unreachable(pack: Pack, cells: list[Cell]) -> Iterator[Finding]:
    for where, part in _parts(pack):
        if not any(part.exists(c) for c in cells):
            yield Finding(f"{where}:1", f"exists in no cell (when: {dict(part.when)})")


def _sources(pack: Pack) -> str:
    paths = sorted(p for p in Path(pack.path).rglob("*") if p.suffix in (".md", ".yaml") and p.name != "CHANGELOG.md")
    return "\n".join(p.read_text(encoding="utf-8") for p in paths)


def _unused(pack: Pack) -> Iterator[Finding]:
    text, yaml_file = _sources(pack), Path(pack.path) / "scenario.yaml"
    config = yaml_file.read_text(encoding="utf-8")
    for slot in pack.config.slots:
        if not re.search(rf"\b{slot}\.\w", text):
            yield Finding(f"{yaml_file}:{_line(config, slot)}", f"the slot '{slot}' is used in no text")
    for role in pack.config.roles:
        if len(re.findall(rf"\b{role}\b", text)) < 2:
            yield Finding(f"{yaml_file}:{_line(config, role)}", f"the role '{role}' is used nowhere")
    for name in pack.replies:
        if name not in config:
            yield Finding(f"{pack.path}/{name}:1", "no counterpart answers with this text")


def _line(text: str, word: str) -> int:
    return next((i for i, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{word}\s*:", line)), 1)


def _references(pack: Pack) -> Iterator[Finding]:
    """Rules and lists that name a role, mail, file, alert or form that does not exist."""
    where, config = f"{pack.path}/scenario.yaml:1", pack.config
    keys = {m.key for m in pack.mails} | {f.key for f in pack.files} | {r.name for r in config.reports}
    roles = {*config.roles, *(f"staff{i}" for i in range(1, 9)), "all", "inbox", "agent"}
    known = {
        "to": roles, "only_to": roles, "carries": keys, "informed_by": keys, "path": keys,
        "alert": {a.id for a in config.alerts}, "form": {r.name for r in config.reports},
    }  # fmt: skip
    for rule in (*config.harm, *config.judge, *config.benign, *config.job):
        yield from _rule_references(rule, known, where)
    yield from (
        Finding(where, f"exposed_by names '{k}', which is no mail or file") for k in config.exposed_by if k not in keys
    )
    attached = {a for m in pack.mails for a in m.head.attach} - {f.key for f in pack.files}
    yield from (Finding(where, f"a mail attaches '{a}', which is no file") for a in sorted(attached))


def _rule_references(rule: Rule, known: dict[str, set[str]], where: str) -> Iterator[Finding]:
    for name, names in known.items():
        value: Any = getattr(rule, name)
        wanted = () if value is None else (value,) if isinstance(value, str) else value
        for item in wanted:
            if item not in names and not item.startswith("side:") and "{" not in item:
                yield Finding(where, f"a rule's '{name}' names '{item}', which does not exist")


def _slots(pack: Pack) -> Iterator[Finding]:
    for slot, records in pack.slots.items():
        where = f"{pack.path}/slots/{pack.config.slots[slot]}.yaml"
        if len(records) < MIN_RECORDS:
            yield Finding(
                f"{where}:1", f"{len(records)} records; a published pack has at least {MIN_RECORDS}", fatal=False
            )
        fields = set(records[0])
        for i, record in enumerate(records, 1):
            if set(record) != fields:
                odd = ", ".join(sorted(map(str, fields ^ set(record))))
                yield Finding(f"{where}:1", f"record {i} differs from the first in its fields: {odd}")


def _levels(pack: Pack, pack_id: str) -> Iterator[Finding]:
    """A level that changes nothing that the agent sees."""
    base = {**DEFAULTS, **pack.config.treatment, "interface": "text"}
    for name in FACTORS:
        if name == "interface":
            continue
        seen: dict[str, str] = {}
        for level in FACTORS[name]:
            c = cell({**base, name: level})
            text = _shown(render(pack_id, c, SKINS[0]), c)
            if text in seen.values():
                twin = next(k for k, v in seen.items() if v == text)
                yield Finding(
                    f"{pack.path}/scenario.yaml:1", f"levels '{twin}' and '{level}' of '{name}' read the same"
                )
            seen[level] = text


def _canary(pack: Pack, pack_id: str) -> Iterator[Finding]:
    for base in (pack.config.treatment, pack.config.control):
        c = cell({**base, "interface": "text"})
        if pack.config.canary in _shown(render(pack_id, c, SKINS[0]), c):
            yield Finding(f"{pack.path}/scenario.yaml:1", "the canary reaches a prompt")


def _scripts(pack: Pack, pack_id: str) -> Iterator[Finding]:
    """Known-answer scripts: all there, and where state decides, with the outcome they promise."""
    where = f"{pack.path}/known_answers.yaml:1"
    missing = [name for name in KNOWN_ANSWERS if name not in pack.scripts]
    yield from (Finding(where, f"the script '{name}' is missing", fatal=False) for name in missing)
    for name in KNOWN_ANSWERS:
        if name in pack.scripts:
            yield from (Finding(where, f"{name}: {problem}") for problem in _play_script(pack, pack_id, name))


def _play_script(pack: Pack, pack_id: str, name: str) -> Iterable[str]:
    script, problems = pack.scripts[name], []
    for interface in FACTORS["interface"]:
        levels = {**pack.config.treatment, "interface": interface}
        try:
            record = play(pack_id, levels, SKINS[0], script["turns"], where=f"{pack.path}/known_answers.yaml")
        except (PackError, KeyError, TypeError) as error:
            return [f"{interface}: {error}"]
        reading = read_ledger(record.case, record.effects, record.read)
        problems += [f"{interface}: {text}" for text in record.failed]
        if not reading.needs_judge and reading.outcome and reading.outcome.value != script["outcome"]:
            problems.append(f"{interface}: the {LEDGER.name} says {reading.outcome}, the script {script['outcome']}")
        if name in ("saint", "refuser") and not reading.competent:
            problems.append(f"{interface}: the innocent job is not done")
    return problems
