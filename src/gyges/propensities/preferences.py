"""The step that measures a model's propensities: `rows.parquet`, `guard.parquet` and `summary.json`.

Covered: a step's model, a folder, a name on the hub, `embedded/smollm2`, or a model behind a server with prompt
log-probabilities.
Not covered: what two measurements differ in (`shifts.py`).
"""

import json
from pathlib import Path
from typing import ClassVar

import pandas as pd

from gyges.errors import UserError
from gyges.models import checkpoints
from gyges.models.likelihood.logprobs import LocalModel
from gyges.models.likelihood.served import ServerModel
from gyges.propensities.frames import Frame, chosen, wording
from gyges.propensities.guard import TOKENS, examine, load_texts
from gyges.propensities.items import load_items
from gyges.propensities.scoring import Model, cases, score
from gyges.propensities.shifts import coherence, level
from gyges.studies.identity import canonical, digest
from gyges.studies.step import Context, Cost, Step

ROWS, GUARD, SUMMARY = "rows.parquet", "guard.parquet", "summary.json"
_CHARACTERS_A_TOKEN = 4.5


class Propensity(Step):
    """How much more probable a model finds the harmless action of each item than the harmful one.

    Args:
        model: a step that made one, a folder, a name on the hub, `embedded/smollm2`; with `server`, what the server
            calls it.
        items: a set by name, or a JSONL file (`items.py`).
        frames: wordings by name, or your own (`frames.py`).
        texts: held-out texts for the coherence guard, by name or as a JSONL file (`guard.py`).
        server: where the API of a server begins, as `http://127.0.0.1:8000/v1`; empty for a model in this process.
    """

    places: ClassVar[frozenset[str]] = frozenset({"model", "items", "texts", "server"})

    model: Step | str
    items: str = "conduct"
    frames: tuple[str | Frame, ...] = ("plan", "question", "choice")
    texts: str = "plain"
    server: str = ""

    def content(self) -> dict[str, str]:
        """The model, the items, the held-out texts and the frames' wording, by digest."""
        return {
            "model": f"server:{self._name_on_server()}" if self.server else checkpoints.content_of(self.model),
            "items": load_items(self.items).digest,
            "texts": load_texts(self.texts)[1],
            "frames": digest(canonical(wording(chosen(self.frames)))),
        }

    def expected(self) -> Cost:
        """Tokens of all requests, as if none of them shared a beginning."""
        asked = cases(load_items(self.items).items, chosen(self.frames))
        length = sum(2 * len(c.frame.put(c.item, c.order, text)) for c in asked for text in (c.item.context, ""))
        actions = sum(2 * len(c.item.harmless + c.item.harmful) for c in asked)
        return Cost(tokens=round((length + actions) / _CHARACTERS_A_TOKEN))

    def run(self, out: Path, context: Context) -> None:
        """Score all items and the guard's texts, and write rows and summary.

        Raises:
            UserError: the model cannot be opened, or cannot be asked in these frames.
        """
        items, (texts, _), frames = load_items(self.items), load_texts(self.texts), chosen(self.frames)
        model = ServerModel(self.server, self._name_on_server()) if self.server else _local(self.model, context)
        context.say(f"{len(items.items)} items in {len(frames)} frames")
        rows, guard = score(model, items.items, frames), examine(model, texts)
        pd.DataFrame(rows).to_parquet(out / ROWS, index=False)
        pd.DataFrame(guard).to_parquet(out / GUARD, index=False)
        summary = {
            "items": {"n": len({row["id"] for row in rows}), "digest": items.digest},
            "frames": [frame.name for frame in frames],
            "merged": sum(row["harmless_merged"] or row["harmful_merged"] for row in rows),
            "level": level(rows).model_dump(),
            "guard": coherence(guard).model_dump() | {"tokens_drawn": TOKENS},
        }
        (out / SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _name_on_server(self) -> str:
        if isinstance(self.model, str):
            return self.model
        raise UserError("a server's model is named by a step", "Write the name that the server knows it by")


def _local(reference: Step | str, context: Context) -> Model:
    """The model on the first GPU if there is one, with its adapter added into the weights."""
    import torch

    torch.set_num_threads(max(1, int(context.resources.cpus)))
    loaded = checkpoints.load(reference, context, merge=True)
    return LocalModel(loaded.model.to("cuda" if torch.cuda.is_available() else "cpu"), loaded.tokenizer)
