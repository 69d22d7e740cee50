"""What a run will take, before it spends anything, and the purse that keeps it under its budget.

Token counts are estimated at `CHARS_PER_TOKEN` characters for the forecast and at a cautious `CHARS_PER_TOKEN_LEAST` for the budget: a hard
cap must not rest on an average.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inspect_ai.model import Model, get_model_info

from gyges.errors import UserError
from gyges.reporting.estimates import detectable_difference
from gyges.scenarios.samples import Draw, make_sample
from gyges.transcripts.models import FREE
from gyges.transcripts.rows import Row
from gyges.transcripts.spec import CellKey, How, Spec, cells_of, draw_of

CHARS_PER_TOKEN = 4.0
CHARS_PER_TOKEN_LEAST = 2.5
ANSWER_TOKENS = {"text": 500, "tools": 2500}
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


def price_of(name: str, how: How) -> tuple[float, float] | None:
    """USD per million input and output tokens: the user's price, zero for local models, else what Inspect knows."""
    if how.price:
        return how.price
    if name.split("/")[0] in FREE:
        return (0.0, 0.0)
    info = get_model_info(name)
    return (info.cost.input, info.cost.output) if info and info.cost else None


def forecast(spec: Spec, how: How = How()) -> list[Forecast]:
    """Samples, tokens and cost of every cell at full size; a precision usually ends earlier."""
    return [_forecast(spec, how, key) for key in cells_of(spec)]


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


def detectable(samples: int) -> float:
    """The difference between two cells of this size that would be found with 80 % power at a base rate of one half."""
    return detectable_difference(samples, samples)


class Purse:
    """What may still be spent. Without a budget it is bottomless.

    Raises:
        UserError: there is a budget and no price for a model.
    """

    def __init__(self, spec: Spec, how: How, models: Mapping[str, Model]) -> None:
        self.spec, self.budget, self.spent = spec, how.budget_usd, 0.0
        self.prices = {name: price_of(name, how) for name in self._names(spec)}
        unknown = [name for name, price in self.prices.items() if price is None]
        if self.budget is not None and unknown:
            raise UserError(f"no price is known for {unknown[0]}", "Add --price IN,OUT in USD per million tokens")
        self.left_out = 0

    @staticmethod
    def _names(spec: Spec) -> list[str]:
        graders = [] if spec.grader in ("builtin", "none") else [spec.grader]
        return [*(m.name for m in spec.models), *graders]

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
        cost = self._cost(key.model, given, answer * turns)
        if self.spec.grader not in ("builtin", "none"):
            cost += 2 * self._cost(self.spec.grader, characters / CHARS_PER_TOKEN_LEAST + answer * turns, 2000)
        return cost

    def _cost(self, model: str, given: float, written: float) -> float:
        price = self.prices.get(model) or (0.0, 0.0)
        return (given * price[0] + written * price[1]) / 1e6

    def spend(self, rows: Sequence[Row]) -> None:
        """Take what samples have cost: the tokens that were counted, at the known prices."""
        for row in rows:
            self.spent += self._cost(row.model, row.input_tokens, row.output_tokens)
            self.spent += self._cost(self.spec.grader, row.judge_input_tokens, row.judge_output_tokens)

    def note_spent(self, left_out: int) -> None:
        """Remember that samples were not run for want of money."""
        self.left_out += left_out
        logging.getLogger("gyges").warning("budget reached: %d samples were not run", left_out)
