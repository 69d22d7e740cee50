"""A family: a kind of test, such as the scenarios in the simulated company, or problems of code. All that evaluation, analysis and pages know of one.

A family of your own is an object with these members, named by its place (`--scenario my.module:FAMILY`) or by an entry point of the group
`gyges.families`; see `docs/families.md`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from inspect_ai import Task
from inspect_ai.log import EvalSample
from pydantic import BaseModel, ConfigDict

from gyges.judging.outcomes import Verdict
from gyges.scenarios.draws import Draw
from gyges.scenarios.factors import Factors


class Size(NamedTuple):
    """What one sample takes: characters that a model reads at first, how often it reads them, and the tokens that it writes in all."""

    characters: int
    turns: int
    answer_tokens: int


class Remark(BaseModel):
    """Something noted beside the verdict that a rate may go with: what the model said it believes, say.

    `about` says what it is, in words; `note` is what a reader must know of it. `levels` are what may be noted, with the words for it; `silent` is
    the one that says nothing; `compared` the two whose rates are set against each other.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    about: str
    note: str = ""
    levels: dict[str, str]
    silent: str
    compared: tuple[str, str]


class Words(BaseModel):
    """What readers are told about a family: the meaning of its factors, levels and outcomes (the gravest first), and its remarks."""

    model_config = ConfigDict(frozen=True)

    factors: dict[str, str] = {}
    levels: dict[str, dict[str, str]] = {}
    outcomes: dict[str, str] = {}
    remarks: tuple[Remark, ...] = ()

    def level(self, factor: str, level: str) -> str:
        """A factor's level as readers are told it."""
        return self.levels.get(factor, {}).get(level) or level.replace("_", " ")


class ScenarioInfo(BaseModel):
    """A scenario: what it asks, which outcomes are harm, its levels under pressure and in the control (empty: it has none)."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    title: str
    version: str = ""
    summary: str = ""
    question: str = ""
    harm_name: str = "harm"
    harmful: tuple[str, ...] = ()
    treatment: dict[str, str] = {}
    control: dict[str, str] = {}
    factors: Factors = Factors({})
    words: Words = Words()


class Family(Protocol):
    """A kind of test."""

    @property
    def name(self) -> str:
        """As logs name it: the name of its entry point, or its place, `package.module:FAMILY`, where it has none."""
        ...

    @property
    def factors(self) -> Factors:
        """What can be varied."""
        ...

    def names(self) -> Sequence[str]:
        """Its scenarios."""
        ...

    def scenario(self, name: str) -> ScenarioInfo:
        """One of them.

        Raises:
            UserError: there is none of this name.
        """
        ...

    def digest(self, name: str) -> str:
        """Of everything that a scenario's samples are made of: samples are kept together only under one digest."""
        ...

    def rubric(self) -> str:
        """Digest of how its samples are judged, beside the scenario's own text."""
        ...

    def size(self, name: str, draw: Draw) -> Size:
        """What a sample takes, for forecasts and budgets."""
        ...

    def task(self, name: str, draws: Sequence[Draw], grader: str, max_turns: int) -> Task:
        """The Inspect task over these samples. Each has the id `sample_id` and the metadata `sample_metadata`; the scorer is called `verdict` and gives
        `judging.scorer.to_score` of a verdict.

        Args:
            name: the scenario.
            draws: its samples.
            grader: `auto` (the role `grader`), `builtin` or `none`.
            max_turns: answers that a model may give in one sample.
        """
        ...

    async def verdict(self, sample: EvalSample, grader: str) -> Verdict:
        """The verdict on a sample of a log, judged again."""
        ...


def sample_id(info: ScenarioInfo, draw: Draw) -> str:
    """`{scenario}/{condition}/{skin}/{n}`."""
    return f"{info.name}/{info.factors.label(draw.cell)}/{draw.skin}/{draw.repeat}"


def sample_metadata(family: str, info: ScenarioInfo, draw: Draw) -> dict[str, object]:
    """What every sample carries, so that its log can be read without the family that made it."""
    return {
        "family": family, "scenario": info.name, "version": info.version, "skin": draw.skin, "repeat": draw.repeat,
        "factors": dict(draw.cell), "condition": info.factors.label(draw.cell, leave_out=("interface",)),
        "control": is_control(info, draw.cell),
    }  # fmt: skip


def is_control(info: ScenarioInfo, cell: Mapping[str, str]) -> bool:
    """Whether a cell is the scenario's control."""
    return bool(info.control) and all(cell[name] == level for name, level in info.control.items())
