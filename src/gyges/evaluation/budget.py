"""What a run will take, before it spends anything, and the purse that keeps it under its budget.

Token counts are estimated at `CHARS_PER_TOKEN` characters for the forecast and at a cautious `CHARS_PER_TOKEN_LEAST` for the budget: a hard
cap must not rest on an average.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from inspect_ai.model import get_model_info

from gyges.errors import UserError
from gyges.evaluation.models import FREE
from gyges.evaluation.spec import CellKey, How, ModelSpec, PlannedSample, Spec, cells_of, planned
from gyges.scenarios.families import place_of
from gyges.scenarios.family import Size
from gyges.statistics.sample_size import detectable_difference
from gyges.transcripts.rows import Row

CHARS_PER_TOKEN = 4.0
CHARS_PER_TOKEN_LEAST = 2.5
JUDGED_TOKENS, REPLY_TOKENS = 2500, 250
"""What a judge is shown of a sample besides the agent's own words, and what it answers."""
MOST_TOKENS = 4096


Price = tuple[float, float]
"""USD per million input and output tokens."""


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


def price_of(name: str, how: How, grader: bool = False) -> Price | None:
    """USD per million input and output tokens: the user's price, zero for local models, else what Inspect knows."""
    given = how.grader_price if grader else how.price
    if given:
        return given
    if name.split("/")[0] in FREE:
        return (0.0, 0.0)
    info = get_model_info(name)
    return (info.cost.input, info.cost.output) if info and info.cost else None


def forecast(models: Sequence[ModelSpec], spec: Spec, how: How = How()) -> list[Forecast]:
    """Samples, tokens and cost of every cell at full size, and of the grader; a precision usually ends earlier."""
    cells = []
    for model, key in product(models, cells_of(spec)):
        size, price = _size(spec, key), price_of(model.name, how)
        given = int(spec.samples * (size.characters / CHARS_PER_TOKEN) * size.turns)
        written = spec.samples * min(spec.max_tokens or MOST_TOKENS, size.answer_tokens)
        cost = None if price is None else _cost(price, given, written)
        cells.append(Forecast(model.name, key.scenario, key.levels, spec.samples, given, written, cost))
    if not spec.judged:
        return cells
    # The grader reads the rubric, the facts and what the agent wrote, once for every sample.
    samples, price = sum(c.samples for c in cells), price_of(spec.grader, how, grader=True)
    given = samples * JUDGED_TOKENS + sum(c.output_tokens for c in cells)
    cost = None if price is None else _cost(price, given, samples * REPLY_TOKENS)
    return [*cells, Forecast(spec.grader, "judging", {}, samples, given, samples * REPLY_TOKENS, cost)]


def _size(spec: Spec, key: CellKey) -> Size:
    family, name = place_of(key.scenario)
    return family.size(name, planned(spec, key, 0).draw)


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

    def __init__(self, model: ModelSpec, spec: Spec, how: How) -> None:
        self.spec, self.how, self.budget, self.spent = spec, how, how.budget_usd, 0.0
        self.price = self._known(price_of(model.name, how), model.name, "--price")
        grader = price_of(spec.grader, how, grader=True) if spec.judged else (0.0, 0.0)
        self.grader_price = self._known(grader, spec.grader, "--grader-price")

    def affordable(self, owed: Sequence[PlannedSample]) -> int:
        """How many of the samples can be run whatever they turn out to cost."""
        if self.budget is None:
            return len(owed)
        left, count = self.budget - self.spent, 0
        for sample in owed:
            left -= self.worst_case(sample.key)
            if left < 0:
                break
            count += 1
        return count

    def worst_case(self, key: CellKey) -> float:
        """The most that a sample of this cell can cost, its judge included."""
        characters, turns, _ = _size(self.spec, key)
        turns = 1 if turns == 1 else self.spec.max_turns
        answer = self.spec.max_tokens or MOST_TOKENS
        given = characters / CHARS_PER_TOKEN_LEAST * turns + answer * turns * (turns - 1) / 2
        judged = characters / CHARS_PER_TOKEN_LEAST + answer * turns
        return _cost(self.price, given, answer * turns) + 2 * _cost(self.grader_price, judged, 2000)

    def spend(self, rows: Sequence[Row]) -> None:
        """Take what samples have cost, those of other models too: the tokens that were counted, at the known prices."""
        prices = {name: price_of(name, self.how) or (0.0, 0.0) for name in {row.model for row in rows}}
        for row in rows:
            self.spent += _cost(prices[row.model], row.input_tokens, row.output_tokens)
            self.spent += _cost(self.grader_price, row.judge_input_tokens, row.judge_output_tokens)

    def _known(self, price: Price | None, name: str, option: str) -> Price:
        """The price; where there is no budget, one that nobody knows does not matter."""
        if price is None and self.budget is not None:
            raise UserError(f"no price is known for {name}", f"Add {option} IN,OUT in USD per million tokens")
        return price or (0.0, 0.0)


def _cost(price: Price, given: float, written: float) -> float:
    return (given * price[0] + written * price[1]) / 1e6
