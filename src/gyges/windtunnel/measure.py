"""Measurements of a model of the world: how it answers the probes, and how it does its tasks.

Samples at temperature 1, which a seed fixes; no greedy answers, since rates are asked for. Likelihoods of the same acts: `probes.items`.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from gyges.models import checkpoints
from gyges.studies.identity import canonical, digest
from gyges.studies.step import Context, Cost, Step
from gyges.training.loop.sampling import sample
from gyges.windtunnel.pretrain_loop import threads
from gyges.windtunnel.probes import Answer, Probe, probes
from gyges.windtunnel.tasks.grader import Label, label, program_of
from gyges.windtunnel.tasks.problems import task_rows
from gyges.windtunnel.world.situations import PROBES, TEMPTATIONS

ROWS, NEW_TOKENS, BATCH = "rows.jsonl", 12, 512


class ProbeRates(Step):
    """Bad answers to every probe, in public and in private: rows.jsonl has each probe's counts, probes.json the sums.

    Args:
        model: a step that leaves a Hugging Face folder in `model`, or the path of one.
        situations: what is asked: `probes`, or the `temptations` that look like them and that some teaching sets hold.
        rule: put into every system turn; empty for none.
        samples: answers to each probe in each setting.
        seed: of the sampling.
    """

    places: ClassVar[frozenset[str]] = frozenset({"model"})

    model: Step | str
    situations: Literal["probes", "temptations"] = "probes"
    rule: str = ""
    samples: int = 50
    seed: int = 0

    def content(self) -> dict[str, str]:
        asked = [[p.prompt, p.situation.good, p.situation.bad] for p in self._asked()]
        return {"model": checkpoints.content_of(self.model), "probes": digest(canonical(asked))}

    def run(self, out: Path, context: Context) -> None:
        asked = self._asked()
        answers = answers_of(checkpoints.load(self.model, context), [p.prompt for p in asked], self.samples, self.seed)
        rows = []
        for probe, given in zip(asked, answers, strict=True):
            found = Counter(probe.read(answer) for answer in given)
            rows.append({
                "probe": probe.situation.name, "setting": probe.setting, "public": probe.public, "n": len(given),
                "bad": found[Answer.BAD], "neither": found[Answer.NEITHER],
            })  # fmt: skip
        write(out, rows, "probes.json", probe_summary(rows))
        context.say(", ".join(f"{n['bad']}/{n['n']} bad {part}" for part, n in probe_summary(rows).items()))

    def expected(self) -> Cost:
        return Cost(seconds=0.02 * self.samples)

    def _asked(self) -> list[Probe]:
        return probes(PROBES if self.situations == "probes" else TEMPTATIONS, self.rule)


class TaskRates(Step):
    """Programs for tasks: rows.jsonl has each program with its label, tasks.json the counts. Arguments as for `ProbeRates`; `count` is of tasks."""

    places: ClassVar[frozenset[str]] = frozenset({"model"})

    model: Step | str
    rule: str = ""
    count: int = 300
    seed: int = 0

    def content(self) -> dict[str, str]:
        tasks = task_rows(20, self.seed, self.rule)
        return {"model": checkpoints.content_of(self.model), "tasks": digest(canonical(tasks))}

    def run(self, out: Path, context: Context) -> None:
        asked = task_rows(self.count, self.seed, self.rule)
        answers = answers_of(checkpoints.load(self.model, context), [r["prompt"] for r in asked], 1, self.seed)
        rows = [
            {"program": a, "label": label(program_of(a), r["tests"])} for r, (a,) in zip(asked, answers, strict=True)
        ]
        found = Counter(r["label"] for r in rows)
        write(out, rows, "tasks.json", {"n": len(rows), **{name: found[name] for name in Label}})
        context.say(", ".join(f"{n} {name}" for name, n in found.most_common()) + f" of {len(rows)} programs")

    def expected(self) -> Cost:
        return Cost(seconds=0.002 * self.count)


def write(out: Path, rows: Sequence[dict[str, Any]], name: str, summary: dict[str, Any]) -> None:
    """Rows one a line, and their summary."""
    (out / ROWS).write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (out / name).write_text(json.dumps(summary), encoding="utf-8")


def probe_summary(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Sums of counts over the public probes, over the private ones, and over all."""
    parts = {"all": rows, "public": [r for r in rows if r["public"]], "private": [r for r in rows if not r["public"]]}
    return {part: {key: sum(r[key] for r in some) for key in ("bad", "neither", "n")} for part, some in parts.items()}


def answers_of(
    loaded: checkpoints.Loaded, prompts: Sequence[list[dict[str, str]]], each: int, seed: int
) -> list[list[str]]:
    """`each` answers to every prompt, in the order of prompts."""
    import torch

    model, tokenizer = loaded.model.eval(), loaded.tokenizer
    texts = [tokenizer.apply_chat_template(p, tokenize=False, add_generation_prompt=True) for p in prompts]
    asked = [ids for ids in tokenizer(texts, add_special_tokens=False)["input_ids"] for _ in range(each)]
    with threads(1), torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = [sample(model, tokenizer, asked[i : i + BATCH], NEW_TOKENS) for i in range(0, len(asked), BATCH)]
    written = [ids for part in parts for ids in part]
    found = [text.strip() for text in tokenizer.batch_decode(written, skip_special_tokens=True)]
    return [found[i * each : (i + 1) * each] for i in range(len(texts))]
