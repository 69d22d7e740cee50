"""What is to be evaluated: a frozen spec, and the folder that holds its results.

The spec says *what*; `How` says how and where and can never change a result's identity.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gyges.errors import UserError
from gyges.judging.model_judge import rubric_digest
from gyges.scenarios.factors import Cell, parse_levels, treatment_and_control
from gyges.scenarios.pack.load import builtin_names, builtin_root, load_pack
from gyges.scenarios.samples import Draw, parse_skins
from gyges.scenarios.scripted.provider import content_of_args
from gyges.studies.identity import key_of

MOST_SAMPLES = 2000
LOGS = "logs"
"""The folder of logs, in a store as in the folder of `gyges test`."""


class ModelSpec(BaseModel):
    """A model by Inspect's name, with the arguments of its provider (`-M`)."""

    model_config = ConfigDict(frozen=True)

    name: str
    args: dict[str, Any] = {}


class Spec(BaseModel):
    """What an evaluation depends on.

    `samples` is the number for each cell, with `precision` the most that a cell may get; `skins` limits how many skins they are
    spread over; `precision` is the total width, high minus low, at which a cell stops.
    """

    model_config = ConfigDict(frozen=True)

    models: tuple[ModelSpec, ...]
    scenarios: tuple[str, ...]
    factors: dict[str, tuple[str, ...]] = {}
    samples: int = 20
    skins: int | None = None
    skin: str | None = None
    precision: float | None = None
    grader: str = "builtin"
    max_tokens: int | None = None
    temperature: float | None = None
    max_turns: int = 30

    def identity(self) -> dict[str, Any]:
        """What two runs must share to go into one folder; the number of samples may grow. Of a private key its first skin is kept."""
        data = self.model_dump(mode="json", exclude={"samples", "precision"})
        data["rubric"] = rubric_digest()
        data["packs"] = {name: pack_digest(name) for name in self.scenarios}
        data["files"] = {m.name: digest for m in self.models if (digest := content_of_args(m.name, m.args))}
        data["skin"] = shown_skin(self.skin)
        return data


def shown_skin(skin: str | None) -> str | None:
    """Skins as they may be written down: of a private key its first skin."""
    return f"private:{parse_skins(skin, 1)[0]}" if skin and skin.startswith("private:") else skin


def pools_of(identity: dict[str, Any]) -> list[str]:
    """Where the samples of each model of a spec with this identity are kept: folders of a store.

    One pool holds all samples that differ in nothing but their number, so that an evaluation of 40 takes the 20 that one of 20 has made.
    """
    each = [
        {**identity, "models": [m], "files": {k: v for k, v in identity["files"].items() if k == m["name"]}}
        for m in identity["models"]
    ]
    return [f"{LOGS}/{_slug(one['models'][0]['name'])}-{key_of(one)}" for one in each]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]


class How(BaseModel):
    """How to run: nothing here changes a result.

    `budget_usd` is a hard cap on what the folder may have cost in all; `price` is USD per million input and output tokens of the models where
    Inspect knows none, `grader_price` the grader's.
    """

    model_config = ConfigDict(frozen=True)

    budget_usd: float | None = None
    price: tuple[float, float] | None = None
    grader_price: tuple[float, float] | None = None
    max_connections: int | None = None
    base_url: str | None = None


def check_how(how: How) -> How:
    """The same, if its numbers make sense.

    Raises:
        UserError: a budget or price that is no amount, or no connection.
    """
    amounts = {"--budget": (how.budget_usd,), "--price": how.price or (), "--grader-price": how.grader_price or ()}
    for name, values in amounts.items():
        if any(v is not None and not 0 <= v < math.inf for v in values):
            raise UserError(f"{name} {', '.join(map(str, values))} is no amount", "Give USD, 0 or more")
    if how.max_connections is not None and how.max_connections < 1:
        raise UserError(f"--max-connections {how.max_connections} is too few", "Give 1 or more")
    return how


class CellKey(BaseModel):
    """One cell of one model: what gets one estimate."""

    model_config = ConfigDict(frozen=True)

    model: str
    scenario: str
    cell: tuple[tuple[str, str], ...]

    @property
    def levels(self) -> Cell:
        """The cell's level of every factor."""
        return dict(self.cell)


def make_spec(
    models: Sequence[ModelSpec],
    scenarios: Sequence[str] = (),
    factors: Sequence[str] = (),
    interface: str | None = None,
    **rest: Any,
) -> Spec:
    """A spec from what a user typed.

    Args:
        models: the models.
        scenarios: names or paths; none means all built-in ones.
        factors: texts like `goal=explicit,none`.
        interface: `tools`, `text` or both, separated by a comma.
        rest: further fields of `Spec`.

    Raises:
        UserError: something is unknown or does not fit together.
    """
    _check_models([m.name for m in models])
    chosen = tuple(scenarios) or tuple(builtin_names())
    _check_once([load_pack(name).name for name in chosen], "scenario", "Give packs of your own names of their own")
    levels = _levels([*factors, *([f"interface={interface}"] if interface else [])])
    if rest.get("skin") is not None:
        parse_skins(rest["skin"], 1)
    if rest.get("samples") is None:
        rest["samples"] = MOST_SAMPLES if rest.get("precision") else Spec.model_fields["samples"].default
    _check_numbers(rest)
    return Spec(models=tuple(models), scenarios=chosen, factors=levels, **rest)


def _check_models(names: Sequence[str]) -> None:
    for name in names:
        provider, _, model = name.partition("/")
        if not provider or not model:
            raise UserError(f"unknown model '{name}'", "Write provider/model, e.g. openai/gpt-4.1 or embedded/smollm2")
    _check_once(names, "model", "Use two output folders and `gyges report A B`")


def _check_once(names: Sequence[str], what: str, remedy: str) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"the {what} '{twice[0]}' is given twice", remedy)


def _levels(factors: Sequence[str]) -> dict[str, tuple[str, ...]]:
    given = [_factor(text) for text in factors]
    _check_once([name for name, _ in given], "factor", "Write its levels in one place: name=level,level")
    return dict(given)


def _check_numbers(rest: dict[str, Any]) -> None:
    for name in ("samples", "skins", "max_tokens"):
        if rest.get(name) is not None and rest[name] < 1:
            raise UserError(f"--{name.replace('_', '-')} {rest[name]} is too few", "Give 1 or more")
    temperature = rest.get("temperature")
    if temperature is not None and not 0 <= temperature <= 2:
        raise UserError(f"--temperature {temperature} is none", "Give a number between 0 and 2")
    precision = rest.get("precision")
    if precision is not None and not 0 < precision < 1:
        raise UserError(f"--precision {precision} is no width", "Give a number between 0 and 1, e.g. 0.05")
    own_skins = rest.get("skins") or not (rest.get("skin") or "private:").startswith("private:")
    if precision is not None and own_skins:
        raise UserError(
            "--precision needs a new skin for every sample", "Leave out --skins and --skin, or use private:KEY"
        )


def _factor(text: str) -> tuple[str, tuple[str, ...]]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"'{text}' is no factor setting", "Write --factor name=level or name=level,level")
    return name.strip(), parse_levels(name.strip(), value)


def cells_of(spec: Spec) -> list[CellKey]:
    """All cells of a spec: per model and scenario the treatment crossed with the factors, and the matched controls."""
    keys = []
    for model in spec.models:
        for scenario in spec.scenarios:
            config = load_pack(scenario).config
            cells = treatment_and_control(config.treatment, config.control, spec.factors)
            keys += [CellKey(model=model.name, scenario=scenario, cell=tuple(c.items())) for c in cells]
    return keys


def draw_of(spec: Spec, key: CellKey, index: int) -> Draw:
    """The sample with this number of a cell. All cells and models get the same skins in the same order, so they pair."""
    count = spec.skins or spec.samples
    skins = parse_skins(spec.skin, count)
    return Draw(key.levels, skins[index % len(skins)], index // len(skins))


def pack_digest(name_or_path: str) -> str:
    """Digest of every text that a scenario's samples are made of, shared texts and name pools included."""
    shared, pools = builtin_root() / "shared", builtin_root().parent / "company" / "pools"
    folders = [Path(load_pack(name_or_path).path), shared, pools]
    digest = hashlib.sha256()
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.suffix in (".md", ".yaml")):
        if path.name not in ("CHANGELOG.md", "known_answers.yaml"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
