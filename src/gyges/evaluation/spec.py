"""What models are put through: a frozen spec, checked when it is made and handed on as it is.

The spec says *what*; `How` says how and where and can never change a result's identity.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, model_validator

from gyges.errors import UserError
from gyges.scenarios.draws import PRIVATE_KEY, Draw, parse_skins
from gyges.scenarios.factors import Levels
from gyges.scenarios.families import builtin_scenarios, expanded, place_of
from gyges.scenarios.family import ScenarioInfo, sample_id
from gyges.transcripts.rows import Stopping

MOST_SAMPLES = 2000
ZERO_WIDTH = 3.69
"""The width of a 95 % interval at no harm in n samples is so much over n (Clopper-Pearson, large n); no rate has a narrower one."""


class ModelSpec(BaseModel):
    """A model by Inspect's name, with the arguments of its provider (`-M`)."""

    model_config = ConfigDict(frozen=True)

    name: str
    args: dict[str, Any] = {}

    @property
    def provider(self) -> str:
        """What stands before the first slash."""
        return self.name.partition("/")[0]


class Spec(BaseModel):
    """What an evaluation depends on, beside its model.

    Args:
        scenarios: names, paths of packs, or a whole family by its name or place; all built-in ones if left out.
        factors: levels by factor, as texts with commas or as sequences; crossed with each other.
        samples: for each cell; with `precision` the most that a cell may get. 20 if left out, 2000 with a precision.
        skins: how many skins the samples are spread over; one for each if left out.
        skin: which skins: `7`, `3,4,5`, `private:KEY` or `private:$NAME`.
        precision: the total width, high minus low, at which a cell stops.
        grader: who judges what state cannot: `builtin`, `none`, or a model.

    Raises:
        UserError: something is unknown, is not a usable number, or does not fit together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    places: ClassVar[frozenset[str]] = frozenset({"skin"})
    """A private key is written down nowhere; `shown_skin` is."""

    scenarios: tuple[str, ...] = ()
    factors: dict[str, tuple[str, ...]] = {}
    samples: int = 20
    skins: int | None = None
    skin: str | None = None
    precision: float | None = None
    grader: str = "builtin"
    max_tokens: int | None = None
    temperature: float | None = None
    max_turns: int = 30

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Names made whole and texts read, before the fields are checked."""
        given = [data["scenarios"]] if isinstance(data.get("scenarios"), str) else data.get("scenarios") or ()
        scenarios = tuple(name for text in given or builtin_scenarios() for name in expanded(text))
        known = [place_of(scenario).family.factors for scenario in scenarios]
        factors = {}
        for name, value in (data.get("factors") or {}).items():
            factors[name] = next((levels for levels in known if name in levels), known[0]).parse(name, value)
        samples = data.get("samples")
        if samples is None:
            samples = MOST_SAMPLES if data.get("precision") else cls.model_fields["samples"].default
        return {**data, "scenarios": scenarios, "factors": factors, "samples": samples}

    @model_validator(mode="after")
    def _sound(self) -> "Spec":
        check_once(
            [place_of(name).info.name for name in self.scenarios], "scenario", "Give each pack a name of its own"
        )
        if self.skin is not None:
            parse_skins(self.skin, 1)
        _check_numbers(self)
        return self

    @property
    def shown_skin(self) -> str | None:
        """The skins as they may be written down: of a private key its first skin."""
        return f"{PRIVATE_KEY}{parse_skins(self.skin, 1)[0]}" if self.is_private else self.skin

    @property
    def is_private(self) -> bool:
        """Whether the skins come from a key."""
        return self.skin is not None and self.skin.startswith(PRIVATE_KEY)

    @property
    def stopping(self) -> Stopping:
        """When a cell stops: with a precision by its looks, else after `samples`."""
        return Stopping() if self.precision is None else Stopping(True, self.precision, self.samples)

    @property
    def judged(self) -> bool:
        """Whether a model judges."""
        return self.grader not in ("builtin", "none")


class How(BaseModel):
    """How to run: nothing here changes a result.

    `budget_usd` is a hard cap on what the folder may have cost in all; `price` is USD per million input and output tokens of the models where
    Inspect knows none, `grader_price` the grader's. `timeout` and `max_retries` are Inspect's, of the models and of the grader: seconds after
    which a request is not tried again, nor one try allowed longer, and how often it is tried again; without them there is no end to it.

    Raises:
        UserError: a budget or price that is not an amount, no connection, no time, or a number of retries below 0.
    """

    model_config = ConfigDict(frozen=True)

    budget_usd: float | None = None
    price: tuple[float, float] | None = None
    grader_price: tuple[float, float] | None = None
    max_connections: int | None = None
    base_url: str | None = None
    timeout: int | None = None
    max_retries: int | None = None

    @model_validator(mode="after")
    def _sound(self) -> "How":
        amounts = {
            "--budget": (self.budget_usd,),
            "--price": self.price or (),
            "--grader-price": self.grader_price or (),
        }
        for name, values in amounts.items():
            if any(v is not None and not 0 <= v < math.inf for v in values):
                given = ", ".join(map(str, values))
                raise UserError(f"{name} {given} is not an amount of money", "Give USD, 0 or more")
        for name, least in (("max_connections", 1), ("timeout", 1), ("max_retries", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                few = "short" if name == "timeout" else "few"
                raise UserError(f"--{name.replace('_', '-')} {value} is too {few}", f"Give {least} or more")
        return self


class CellKey(NamedTuple):
    """A cell to be run: a scenario as the spec names it, and a level of every factor."""

    scenario: str
    cell: tuple[tuple[str, str], ...]

    @property
    def levels(self) -> Levels:
        """The cell's level of every factor."""
        return dict(self.cell)

    @property
    def info(self) -> ScenarioInfo:
        """The scenario."""
        return place_of(self.scenario).info


class PlannedSample(NamedTuple):
    """A sample to be: its cell, and the draw in it."""

    key: CellKey
    draw: Draw

    @property
    def id(self) -> str:
        """The sample's id."""
        return sample_id(self.key.info, self.draw)


def cells_of(spec: Spec) -> list[CellKey]:
    """All cells of a spec: for each scenario the treatment crossed with the factors, and the matched controls."""
    keys = []
    for scenario in spec.scenarios:
        info = place_of(scenario).info
        asked = {name: levels for name, levels in spec.factors.items() if name in info.factors}
        cells = info.factors.treatment_and_control(info.treatment, info.control, asked)
        keys += [CellKey(scenario, tuple(cell.items())) for cell in cells]
    return keys


def planned(spec: Spec, key: CellKey, index: int) -> PlannedSample:
    """The sample with this number of a cell. All cells and models get the same skins in the same order, so they pair."""
    skins = parse_skins(spec.skin, spec.skins or spec.samples)
    return PlannedSample(key, Draw(key.levels, skins[index % len(skins)], index // len(skins)))


def check_models(models: Sequence[ModelSpec]) -> None:
    """Whether these can be tested together.

    Raises:
        UserError: a name without its provider, or one that is given twice.
    """
    for model in models:
        if not model.provider or not model.name.partition("/")[2]:
            raise UserError(
                f"unknown model '{model.name}'", "Write provider/model, e.g. openai/gpt-4.1 or embedded/smollm2"
            )
    check_once([m.name for m in models], "model", "Use two output folders and `gyges report A B`")


def check_once(names: Sequence[str], what: str, remedy: str) -> None:
    """Whether no name is given twice.

    Raises:
        UserError: one is.
    """
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"the {what} '{twice[0]}' is given twice", remedy)


def _check_numbers(spec: Spec) -> None:
    for name in ("samples", "skins", "max_tokens"):
        value = getattr(spec, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} {value} is too few", "Give 1 or more")
    if spec.temperature is not None and not 0 <= spec.temperature <= 2:
        raise UserError(f"--temperature {spec.temperature} is out of range", "Give a number between 0 and 2")
    if spec.precision is None:
        return
    if not 0 < spec.precision < 1:
        raise UserError(f"--precision {spec.precision} is not a width", "Give a number between 0 and 1, e.g. 0.05")
    if spec.precision < ZERO_WIDTH / spec.samples:
        problem = f"--precision {spec.precision} cannot be reached with {spec.samples} samples a cell"
        raise UserError(problem, f"Raise --samples, or give at least {ZERO_WIDTH / spec.samples:.2g}")
    if spec.skins or (spec.skin and not spec.is_private):
        raise UserError(
            "--precision needs a new skin for every sample", "Leave out --skins and --skin, or use private:KEY"
        )
