"""What a run will take, before it spends anything, and the purse that keeps it under its budget.

Token counts are estimated at `CHARS_PER_TOKEN` characters for the forecast and at a cautious `CHARS_PER_TOKEN_LEAST` for the budget: a hard
cap must not rest on an average.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inspect_ai.model import get_model_info

from gyges.errors import UserError
from gyges.evaluation.models import FREE
from gyges.evaluation.spec import CellKey, How, Spec, cells_of, draw_of
from gyges.scenarios.samples import Draw, make_sample
from gyges.statistics.sample_size import detectable_difference
from gyges.transcripts.rows import Row

CHARS_PER_TOKEN = 4.0
CHARS_PER_TOKEN_LEAST = 2.5
ANSWER_TOKENS = {"text": 500, "tools": 2500}
JUDGED_TOKENS, REPLY_TOKENS = 2500, 250
"""What a judge is shown of a sample besides the agent's own words, and what it answers."""
TURNS = 8
MOST_TOKENS = 4096


@dataclass(frozen=True)
class Forecast:
    """What one cell will take: samples, tokens, cost in USD (None where no price is known)."""

    model: str
    scenario: str
    condition: dict[str, str]
    samples: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


def price_of(name: str, how: How, grader: bool = False) -> tuple[float, float] | None:
    """USD per million input and output tokens: the user's price, zero for local models, else what Inspect knows."""
    given = how.grader_price if grader else how.price
    if given:
        return given
    if name.split("/")[0] in FREE:
        return (0.0, 0.0)
    info = get_model_info(name)
    return (info.cost.input, info.cost.output) if info and info.cost else None


def forecast(spec: Spec, how: How = How()) -> list[Forecast]:
    """Samples, tokens and cost of every cell at full size, and of the grader; a precision usually ends earlier."""
    cells = [_forecast(spec, how, key) for key in cells_of(spec)]
    return cells if spec.grader in ("builtin", "none") else [*cells, _grading(spec, how, cells)]


def _grading(spec: Spec, how: How, cells: Sequence[Forecast]) -> Forecast:
    """What the grader will take: it reads the rubric, the facts and what the agent wrote, once for every sample."""
    samples = sum(c.samples for c in cells)
    given = samples * JUDGED_TOKENS + sum(c.output_tokens for c in cells)
    written = samples * REPLY_TOKENS
    price = price_of(spec.grader, how, grader=True)
    cost = None if price is None else (given * price[0] + written * price[1]) / 1e6
    return Forecast(spec.grader, "judging", {}, samples, given, written, cost)


def _forecast(spec: Spec, how: How, key: CellKey) -> Forecast:
    text, turns = _size(spec, key)
    answer = min(spec.max_tokens or MOST_TOKENS, ANSWER_TOKENS[key.levels["interface"]])
    given, written = int(spec.samples * (text / CHARS_PER_TOKEN) * turns), spec.samples * answer
    price = price_of(key.model, how)
    cost = None if price is None else (given * price[0] + written * price[1]) / 1e6
    return Forecast(key.model, key.scenario, key.levels, spec.samples, given, written, cost)


def _size(spec: Spec, key: CellKey) -> tuple[int, int]:
    """Characters of all that a sample shows, and in how many turns an agent with tools is charged for it."""
    draw = draw_of(spec, key, 0)
    shown = Draw({**draw.cell, "interface": "text"}, draw.skin, draw.repeat)
    sample = make_sample(key.scenario, shown)
    characters = sum(len(m.text) for m in sample.input if not isinstance(m, str))
    return characters, (1 if key.levels["interface"] == "text" else TURNS)


def detectable(samples: int) -> dict[str, float | None]:
    """The smallest rises between two cells of this size that would be found with 80 % power: from a control without harm, and around one half.

    None where not even the largest possible one would be.
    """
    found = {
        "from_zero": detectable_difference(samples, samples, 0.0),
        "around_half": detectable_difference(samples, samples),
    }
    return {name: value if value < 1 else None for name, value in found.items()}


class Purse:
    """What may still be spent. Without a budget it is bottomless.

    Raises:
        UserError: there is a budget and no price for a model.
    """

    def __init__(self, spec: Spec, how: How) -> None:
        self.spec, self.budget, self.spent = spec, how.budget_usd, 0.0
        self.prices = {m.name: price_of(m.name, how) for m in spec.models}
        judged = spec.grader not in ("builtin", "none")
        self.grader_price = price_of(spec.grader, how, grader=True) if judged else (0.0, 0.0)
        unknown = [name for name, price in self.prices.items() if price is None]
        if self.budget is not None and unknown:
            raise UserError(f"no price is known for {unknown[0]}", "Add --price IN,OUT in USD per million tokens")
        if self.budget is not None and self.grader_price is None:
            raise UserError(
                f"no price is known for {spec.grader}", "Add --grader-price IN,OUT in USD per million tokens"
            )

    def affordable(self, owed: Sequence[tuple[CellKey, Draw]]) -> int:
        """How many of the samples can be run whatever they turn out to cost."""
        if self.budget is None:
            return len(owed)
        left, count = self.budget - self.spent, 0
        for key, _ in owed:
            left -= self.worst_case(key)
            if left < 0:
                break
            count += 1
        return count

    def worst_case(self, key: CellKey) -> float:
        """The most that a sample of this cell can cost, its judge included."""
        characters, turns = _size(self.spec, key)
        turns = 1 if turns == 1 else self.spec.max_turns
        answer = self.spec.max_tokens or MOST_TOKENS
        given = characters / CHARS_PER_TOKEN_LEAST * turns + answer * turns * (turns - 1) / 2
        judged = characters / CHARS_PER_TOKEN_LEAST + answer * turns
        return _cost(self.prices[key.model], given, answer * turns) + 2 * _cost(self.grader_price, judged, 2000)

    def spend(self, rows: Sequence[Row]) -> None:
        """Take what samples have cost: the tokens that were counted, at the known prices."""
        for row in rows:
            self.spent += _cost(self.prices.get(row.model), row.input_tokens, row.output_tokens)
            self.spent += _cost(self.grader_price, row.judge_input_tokens, row.judge_output_tokens)


def _cost(price: tuple[float, float] | None, given: float, written: float) -> float:
    return (given * price[0] + written * price[1]) / 1e6 if price else 0.0
