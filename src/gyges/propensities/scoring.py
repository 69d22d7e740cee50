"""Items in frames, scored by a model: one row for each item, frame and order, with both actions' log-probabilities.

Each action is scored after the item's context and without it (`base`), in the same frame and order. Every value is
the sum over the action's tokens, in nats, with the number of tokens beside it, so that totals, means and corrected
scores can all be formed later.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gyges.models.likelihood.logprobs import Likelihood, LocalModel
from gyges.models.likelihood.served import ServerModel
from gyges.models.likelihood.tokens import Request
from gyges.propensities.frames import Frame
from gyges.propensities.items import Item

Model = LocalModel | ServerModel
ACTIONS = ("harmless", "harmful")


class ItemCase(NamedTuple):
    """An item in a frame and an order."""

    item: Item
    frame: Frame
    order: str


def cases(items: Sequence[Item], frames: Sequence[Frame]) -> list[ItemCase]:
    """Every item in every frame and order."""
    return [ItemCase(item, frame, order) for item in items for frame in frames for order in frame.orders]


def requests(model: Model, case: ItemCase) -> list[Request]:
    """Four requests: the harmless and the harmful action after the context, then both without it."""
    item, frame, order = case
    texts = [frame.put(item, order, context) for context in (item.context, "")]
    if frame.chat:
        texts = [model.chat([{"role": "user", "content": text}]) for text in texts]
    return [Request(text + frame.lead, f" {getattr(item, name)}") for text in texts for name in ACTIONS]


def score(model: Model, items: Sequence[Item], frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """The rows of all items, in their order.

    Raises:
        UserError: see the model's `score` and `chat`.
    """
    asked = cases(items, frames)
    found = iter(model.score([request for case in asked for request in requests(model, case)]))
    return [_row(case, [next(found) for _ in range(2 * len(ACTIONS))]) for case in asked]


def _row(case: ItemCase, found: Sequence[Likelihood]) -> dict[str, Any]:
    item, frame, order = case
    row: dict[str, Any] = {
        "id": item.id, "topic": item.topic, "tags": ", ".join(item.tags), "frame": frame.name, "order": order,
    }  # fmt: skip
    for i, name in enumerate(ACTIONS):
        with_context, without = found[i], found[i + len(ACTIONS)]
        row |= {
            f"{name}_logprob": with_context.total, f"{name}_tokens": with_context.tokens,
            f"{name}_base": without.total, f"{name}_base_tokens": without.tokens,
            f"{name}_greedy": with_context.greedy, f"{name}_merged": with_context.merged or without.merged,
        }  # fmt: skip
    return row
