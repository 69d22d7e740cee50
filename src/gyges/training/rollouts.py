"""Sample a model's completions into rows to train on, with monitors and filters: filter and distil. Not covered: changing the model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from gyges.errors import UserError
from gyges.files import write_whole
from gyges.models import checkpoints
from gyges.studies.step import Context, Step
from gyges.training.functions import Call, named
from gyges.training.loop.sampling import sample
from gyges.training.reward_functions import Batch, Panel
from gyges.training.rows.prompts import Prompts
from gyges.training.rows.reading import ROWS, TrainingRow, data_content, read_rows, with_field

SAMPLED, COUNTS = "sampled.jsonl", "counts.json"


class Rollouts(Step):
    """Completions for prompts. `rows.jsonl` holds those that pass, as chat rows (or as texts, for prompts that are texts).

    `sampled.jsonl` holds all, with what the functions said; `counts.json` how many passed. Rows are as for `RL`, `sampling_prompt` included.

    Args:
        model: a step that made one, a folder, a name on the hub, `embedded/smollm2`.
        data: a step that wrote `rows.jsonl`, a JSONL or parquet file, or a folder of Hugging Face `datasets`.
        num_generations: completions for each prompt.
        max_completion_length: tokens.
        temperature: 0 takes the likeliest token.
        monitors: functions that are asked and noted, as `reward_funcs` of `RL`.
        filters: a completion passes if each of these is above 0; one that a filter cannot judge does not pass, and is counted apart.
        batch_size: completions that are sampled together.
    """

    places: ClassVar[frozenset[str]] = frozenset({"model", "data"})

    model: Step | str
    data: Step | str
    num_generations: int = Field(default=1, ge=1)
    max_completion_length: int = Field(default=256, ge=1)
    temperature: float = 1.0
    top_p: float = 1.0
    monitors: tuple[str | Call, ...] = ()
    filters: tuple[str | Call, ...] = ()
    batch_size: int = Field(default=32, ge=1)
    seed: int = 0

    def content(self) -> dict[str, str]:
        """Model and data, by digest or by the key of the step that made them."""
        return {"model": checkpoints.content_of(self.model), "data": data_content(self.data)}

    def run(self, out: Path, context: Context) -> None:
        """Sample what is not sampled yet, and write the rows that pass.

        Raises:
            UserError: none passes.
        """
        import torch

        torch.set_num_threads(max(1, int(context.resources.cpus)))
        loaded = checkpoints.load(self.model, context)
        prompts = Prompts(with_field(read_rows(self.data, context), "prompt"), loaded, self.max_completion_length)
        panel = Panel(named([*self.filters, *self.monitors]), {}, context.say)
        _sample(self, prompts, panel, loaded.model.eval(), out / SAMPLED, context)
        filters = list(named(self.filters))
        rows = [json.loads(line) for line in (out / SAMPLED).read_text(encoding="utf-8").splitlines()]
        unjudged = sum(any(row["scores"][name] is None for name in filters) for row in rows)
        passed = [row for row in rows if all((row["scores"][name] or 0) > 0 for name in filters)]
        counts = {"sampled": len(rows), "passed": len(passed), "unjudged": unjudged}
        (out / COUNTS).write_text(json.dumps(counts), encoding="utf-8")
        context.say(f"{len(passed)} of {len(rows)} completions pass; {unjudged} could not be judged")
        if not passed:
            raise UserError(f"none of {len(rows)} completions passes {', '.join(filters)}", f"See {SAMPLED}")
        (out / ROWS).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in passed), encoding="utf-8")


def _sample(spec: Rollouts, prompts: Prompts, panel: Panel, model: Any, path: Path, context: Context) -> None:
    """Add the batches that are missing; each has a seed of its own and is written at once, so a killed run goes on exactly."""
    import torch

    numbers = [i for i in range(len(prompts.rows)) for _ in range(spec.num_generations)]
    done = _whole_batches(path, spec.batch_size, len(numbers))
    for start in range(done, len(numbers), spec.batch_size):
        batch = numbers[start : start + spec.batch_size]
        torch.manual_seed(spec.seed * 1_000_003 + start)
        asked = [prompts.sampled[i] for i in batch]
        ids = sample(model, prompts.tokenizer, asked, spec.max_completion_length, spec.temperature, spec.top_p)
        with path.open("a", encoding="utf-8") as file:
            file.write(
                "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _judged(prompts, panel, batch, ids))
            )
        context.say(f"{start + len(batch)} of {len(numbers)} completions")


def _whole_batches(path: Path, size: int, wanted: int) -> int:
    """How many completions are sampled; a batch that was torn by a kill is cut off."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith("\n")]
    done = len(whole) if len(whole) == wanted else len(whole) // size * size
    write_whole(path, "".join(whole[:done]))
    return done


def _judged(prompts: Prompts, panel: Panel, numbers: Sequence[int], ids: Sequence[Sequence[int]]) -> list[TrainingRow]:
    texts = prompts.tokenizer.batch_decode(ids, skip_special_tokens=True)
    asked = [prompts.rows[i]["prompt"] for i in numbers]
    answers = prompts.answers(numbers, texts)
    scored = panel.score(Batch(asked, answers, ids, prompts.columns(numbers)))
    rows = []
    for i, prompt, answer, text, scores in zip(numbers, asked, answers, texts, scored.values, strict=True):
        whole = {"text": prompt + answer} if isinstance(prompt, str) else {"messages": [*prompt, *answer]}
        rows.append({**prompts.rows[i], **whole, "completion": text, "scores": scores})
    return rows
