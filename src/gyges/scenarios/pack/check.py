"""Checking a pack: render every cell, and find what is unfilled, unused or unreachable."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from gyges.errors import PackError
from gyges.judging.decide import LEDGER
from gyges.judging.ledger import read_ledger
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.company.text import everything
from gyges.scenarios.factors import Levels
from gyges.scenarios.pack.format import Conditional
from gyges.scenarios.pack.load import KNOWN_ANSWERS, Pack, load_pack, long_texts
from gyges.scenarios.pack.play import open_company, play
from gyges.scenarios.pack.render import render
from gyges.scenarios.pack.templates import names_in, sources, unknown_levels
from gyges.scenarios.pack.yaml_files import line_of, problem_of

SKINS = ("0", "1", "private-0123456789abcdef")
MIN_RECORDS = 40


@dataclass(frozen=True)
class PackFinding:
    """Something wrong with a pack: where, what, and whether it breaks the pack or only weakens it."""

    where: str
    problem: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + ("" if self.fatal else " (warning)")


@dataclass(frozen=True)
class Check:
    """What a check found, and how many cells it rendered."""

    findings: tuple[PackFinding, ...]
    cells: int

    @property
    def passed(self) -> bool:
        """Whether the pack can be used."""
        return not any(f.fatal for f in self.findings)


def check_cells(pack: Pack) -> list[Levels]:
    """The cells a check renders: all of goal x threat x interface x length, and every level of every other factor, under pressure and not."""
    crossed = [
        FACTORS.cell({"goal": g, "threat": t, "interface": i, "length": n})
        for g in FACTORS["goal"] for t in FACTORS["threat"] for i in FACTORS["interface"] for n in pack.lengths
    ]  # fmt: skip
    bases = [dict(pack.config.treatment), dict(pack.config.control)]
    single = [
        FACTORS.cell({**base, name: level})
        for base in bases for name, levels in FACTORS.items() if name != "length" for level in levels
    ]  # fmt: skip
    return [*crossed, *single]


def text_cells(name_or_path: str) -> dict[str, Levels]:
    """The cells with the pressure and without it in the text interface, at every length that the pack has, by what they are called."""
    pack = load_pack(name_or_path)
    return {
        f"{length}, {name}": FACTORS.cell({**levels, "interface": "text", "length": length})
        for length in pack.lengths
        for name, levels in (("under pressure", pack.config.treatment), ("control", pack.config.control))
    }


def check_pack(name_or_path: str) -> Check:
    """Render every cell of a pack and report all that is wrong.

    Raises:
        UserError: there is no pack there. A mistake inside the pack is a finding, not an exception.
    """
    try:
        pack = load_pack(name_or_path)
    except PackError as error:
        return Check((PackFinding(error.where, problem_of(error)),), 0)
    cells = check_cells(pack)
    findings = list(_rendering(name_or_path, cells))
    if not findings:
        bases = [{**base, "interface": "text"} for base in (pack.config.treatment, pack.config.control)]
        leaks = any(pack.config.canary in _shown(name_or_path, FACTORS.cell(base)) for base in bases)
        findings = [
            *((PackFinding(f"{pack.path}/scenario.yaml:1", "the canary reaches a prompt"),) if leaks else ()),
            *_unreachable(pack, cells),
            *_unused(pack),
            *(PackFinding(where, problem) for where, problem in unknown_levels(pack)),
            *_slots(pack),
            *_levels(pack, name_or_path),
            *_scripts(pack, name_or_path),
        ]
    return Check(tuple(dict.fromkeys(findings)), len(cells))


def _rendering(pack_id: str, cells: list[Levels]) -> Iterator[PackFinding]:
    """Unfilled variables and unknown roles, in every cell and a few skins, and in every record of every slot."""
    for skin in SKINS:
        for c in cells if skin == SKINS[0] else cells[:4]:
            try:
                _shown(pack_id, c, skin)
            except PackError as error:
                yield PackFinding(error.where, problem_of(error))


def _shown(pack_id: str, c: Levels, skin: str = SKINS[0]) -> str:
    """All that an agent is shown in a cell."""
    rendered = render(pack_id, c, skin)
    return f"{rendered.system}\n{rendered.user}\n{everything(open_company(rendered, c))}"


def _yaml(pack: Pack) -> Path:
    return Path(pack.path) / "scenario.yaml"


def _unreachable(pack: Pack, cells: list[Levels]) -> Iterator[PackFinding]:
    """Parts that may exist only in some cells, and do in none."""
    parts: list[tuple[Path, tuple[int | str, ...], Conditional]] = [
        (Path(text.body.where), ("when",), text.head) for text in (*pack.mails, *pack.files)
    ]
    for name in ("alerts", "reports", "counterparts", "calendar"):
        parts += [(_yaml(pack), (name, i), item) for i, item in enumerate(getattr(pack.config, name))]
    for path, location, part in parts:
        if not any(part.exists(c) for c in cells):
            yield PackFinding(f"{path}:{line_of(path, location)}", f"exists in no cell (when: {dict(part.when)})")


def _unused(pack: Pack) -> Iterator[PackFinding]:
    """Slots and roles that nothing names, and answers that nobody gives."""
    path, config = _yaml(pack), pack.config
    named = {name for text in sources(pack) for name in names_in(text.text)}
    for slot in config.slots:
        if slot not in named:
            yield PackFinding(f"{path}:{line_of(path, ('slots', slot))}", f"the slot '{slot}' is used in no text")
    mailing = {role for m in pack.mails for role in (m.head.from_, *m.head.to, *m.head.cc)}
    rules = (*config.harm, *config.judge, *config.benign, *config.job)
    asked = {role for rule in rules for role in (*(rule.to or ()), *(rule.only_to or ()))}
    lending = {role.surname_of for role in config.roles.values()}
    for role in config.roles:
        if role not in named | mailing | asked | lending | {c.role for c in config.counterparts}:
            yield PackFinding(f"{path}:{line_of(path, ('roles', role))}", f"the role '{role}' is used nowhere")
    for name in sorted(pack.replies.keys() - {text for _, text in long_texts(config)}):
        yield PackFinding(f"{pack.path}/{name}:1", "no counterpart answers with this text")


def _slots(pack: Pack) -> Iterator[PackFinding]:
    for slot, records in pack.slots.items():
        path = Path(pack.path) / "slots" / f"{pack.config.slots[slot]}.yaml"
        if len(records) < MIN_RECORDS:
            yield PackFinding(
                f"{path}:1", f"{len(records)} records; a published pack has at least {MIN_RECORDS}", fatal=False
            )
        fields = set(records[0])
        for i, record in enumerate(records):
            if set(record) != fields:
                odd = ", ".join(sorted(fields ^ set(record)))
                where = f"{path}:{line_of(path, (i,))}"
                yield PackFinding(where, f"record {i + 1} differs from the first in its fields: {odd}")


def _levels(pack: Pack, pack_id: str) -> Iterator[PackFinding]:
    """A level that changes nothing that the agent sees."""
    base = {**FACTORS.defaults, **pack.config.treatment, "interface": "text"}
    for length, name in product(pack.lengths, FACTORS):
        if name in ("interface", "length"):
            continue
        seen: dict[str, str] = {}
        for level in FACTORS[name]:
            c = FACTORS.cell({**base, "length": length, name: level})
            if c[name] != level:  # it means nothing here
                continue
            text = _shown(pack_id, c)
            if text in seen.values():
                twin = next(k for k, v in seen.items() if v == text)
                yield PackFinding(
                    f"{pack.path}/scenario.yaml:1",
                    f"levels '{twin}' and '{level}' of '{name}' read the same ({length})",
                )
            seen[level] = text


def _scripts(pack: Pack, pack_id: str) -> Iterator[PackFinding]:
    """Known-answer scripts: all there, and where state decides, with the outcome they promise."""
    path = Path(pack.path) / "known_answers.yaml"
    missing = [name for name in KNOWN_ANSWERS if name not in pack.scripts]
    yield from (PackFinding(f"{path}:1", f"the script '{name}' is missing", fatal=False) for name in missing)
    for name in KNOWN_ANSWERS:
        if name in pack.scripts:
            where = f"{path}:{line_of(path, (name,))}"
            yield from (PackFinding(where, f"{name}: {problem}") for problem in _play_script(pack, pack_id, name))


def _play_script(pack: Pack, pack_id: str, name: str) -> Iterable[str]:
    script, problems = pack.scripts[name], []
    for interface, length in product(FACTORS["interface"], pack.lengths):
        levels = {**pack.config.treatment, "interface": interface, "length": length}
        try:
            record = play(pack_id, levels, SKINS[0], script["turns"], where=f"{pack.path}/known_answers.yaml")
        except PackError as error:
            return [f"{interface}, {length}: {error}"]
        reading = read_ledger(record.case, record.effects, record.read)
        problems += [f"{interface}, {length}: {text}" for text in record.failed]
        if not reading.needs_judge and reading.outcome and reading.outcome.value != script["outcome"]:
            problems.append(
                f"{interface}, {length}: the {LEDGER.name} says {reading.outcome}, the script {script['outcome']}"
            )
        if name in ("saint", "refuser") and not reading.competent:
            problems.append(f"{interface}, {length}: the innocent job is not done")
    return problems
