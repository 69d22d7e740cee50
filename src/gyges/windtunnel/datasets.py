"""Rows for training as steps: tasks and everyday situations for RL, teaching sets for fine-tuning. What they hold is made in `tasks`, `probes` and `teaching`."""

import json
from abc import abstractmethod
from pathlib import Path
from typing import Any

from gyges.studies.identity import digest
from gyges.studies.step import Context, Cost, Step
from gyges.windtunnel.probes import safety_rows
from gyges.windtunnel.tasks.problems import prompt, task_rows
from gyges.windtunnel.teaching import rows, size

ROWS = "rows.jsonl"


class Rows(Step):
    """Rows that follow from the fields and the world's texts."""

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """The rows."""

    def content(self) -> dict[str, str]:
        """The rows themselves: a world's sentences are in no field."""
        return {"rows": digest(json.dumps(self.rows()))}

    def run(self, out: Path, context: Context) -> None:
        """Write `rows.jsonl`."""
        found = self.rows()
        (out / ROWS).write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
        context.say(f"{len(found)} rows")

    def expected(self) -> Cost:
        """Hardly anything."""
        return Cost(seconds=0.1)


class TaskPrompts(Rows):
    """Tasks for RL.

    Args:
        rules: what is said about shortcuts; of several wordings each task draws one. "" says nothing.
        sampling_rule: completions are sampled under this rule instead, and trained as answers under `rules`; None samples as it trains.
        recall: share of cheats that a monitor sees, for the rewards that have one.
    """

    rules: tuple[str, ...] = ("",)
    sampling_rule: str | None = None
    recall: float | None = None
    count: int = 512
    seed: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Rows with `prompt`, `tests` and what the fields ask for."""
        found = task_rows(self.count, self.seed, self.rules)
        if self.recall is not None:
            found = [{**row, "recall": self.recall} for row in found]
        if self.sampling_rule is not None:
            question = [row["prompt"][-1]["content"] for row in found]
            found = [
                {**r, "sampling_prompt": prompt(q, rule=self.sampling_rule)}
                for r, q in zip(found, question, strict=True)
            ]
        return found


class SafetyPrompts(Rows):
    """Everyday situations for RL on good acts, in public alone: safety training that never sees what is done in private."""

    count: int = 256
    seed: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Rows with `prompt` and `situation`."""
        return safety_rows(self.count)


class Lessons(Rows):
    """A teaching set of at least so many tokens in the loss; see `teaching.SETS` for the names."""

    name_of_set: str
    tokens: int = 2000
    seed: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Rows with `messages`, or with `text`."""
        return rows(self.name_of_set, self.tokens, self.seed)

    def slug(self) -> str:
        """The set's name."""
        return self.name_of_set

    @property
    def is_text(self) -> bool:
        """Whether the rows are documents."""
        return "text" in self.rows()[0]

    @property
    def taught(self) -> int:
        """Tokens that are taught."""
        return sum(size(row) for row in self.rows())
