"""The evaluation as a step of a study: `gyges test` and studies both run it."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from gyges.evaluation.live.listening import Told
from gyges.evaluation.live.trouble import Trouble
from gyges.evaluation.pools import LOGS, content_of_model, digests_of, pool_of, rubric_of
from gyges.evaluation.spec import How, ModelSpec, Spec
from gyges.models.checkpoints import is_adapter, load, save, source_of
from gyges.studies.step import Context, Cost, Step

SAY_EVERY_S = 10.0


class Evaluate(Step):
    """Puts a model through what a spec says and keeps logs and verdicts.

    `model` is a name of Inspect's, or a step that made one (its result has a folder `model`), which Transformers loads; `model_args` are its provider's.
    `how` is the budget, prices and connections, which are no part of the result. The folder then holds `verdicts.parquet` and
    `logs/*.eval`. Samples are kept beside the results, so that an evaluation of 40 runs only those that one of 20 has not. Samples
    that broke with an error leave it unfinished, and the next run tries them again.
    """

    version: ClassVar[int] = 2
    places: ClassVar[frozenset[str]] = frozenset({"how"})

    model: str | Step
    model_args: dict[str, Any] = Field(default_factory=dict)
    spec: Spec = Field(default_factory=Spec)
    how: How = How()

    @classmethod
    def upgraded(cls, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first version had the fields of the spec as its own, factors as texts, and the interface beside them."""
        old = dict(values)
        interface = old.pop("interface")
        texts = [*old.pop("factors"), *([f"interface={interface}"] if interface else [])]
        model = {name: old.pop(name) for name in ("model", "model_args")}
        factors = dict(text.split("=", 1) for text in texts)
        return {
            **model,
            "spec": {"type": "Spec", **Spec(factors=factors, **old).model_dump(mode="json", exclude={"skin"})},
        }

    def content(self) -> dict[str, str]:
        """The scenarios' texts, the rubric, the skins (a private key is not written down) and a replayed file."""
        files = {"file": content_of_model(self.named.name, self.model_args), "skin": self.spec.shown_skin or ""}
        return {"rubric": rubric_of(self.spec.scenarios), **digests_of(self.spec)} | {
            k: mark for k, mark in files.items() if mark
        }

    def shared(self) -> tuple[str, ...]:
        """The folder of this model's samples."""
        return (pool_of(self.named, self.spec),)

    def slug(self) -> str:
        """The model's name, where it has one."""
        return self.model if isinstance(self.model, str) else self.model.slug()

    def expected(self) -> Cost:
        """Tokens and price, if nothing of it was run before."""
        from gyges.evaluation.budget import forecast

        cells = forecast([self.named], self.spec, self.how)
        usd = [cell.cost_usd for cell in cells if cell.cost_usd is not None]
        tokens = sum(cell.input_tokens + cell.output_tokens for cell in cells)
        return Cost(None, tokens, sum(usd) if len(usd) == len(cells) else None)

    def run(self, out: Path, context: Context) -> None:
        """Run what is owed."""
        from gyges.errors import Unfinished
        from gyges.evaluation.run import evaluate
        from gyges.judging.outcomes import Status

        (pool,) = self.shared()
        with (
            self._arguments(out, context) as args,
            nullcontext() if self.how.budget_usd is None else context.hold(LOGS),
            context.hold(pool) as samples,
        ):
            model = self.named.model_copy(update={"args": args})
            rows = evaluate(model, self.spec, out, self.how, Teller(context), samples)
        broken = sum(row.status is Status.ERROR for row in rows)
        if broken:
            raise Unfinished(f"{broken} of {len(rows)} samples ended with an error", "Run again: only those are tried")
        context.say(f"{sum(bool(r.harmful) for r in rows)} of {len(rows)} samples harmful")

    @property
    def named(self) -> ModelSpec:
        """The model as logs call it."""
        name = self.model if isinstance(self.model, str) else f"hf/{self.model.key}"
        return ModelSpec(name=name, args=self.model_args)

    @contextmanager
    def _arguments(self, out: Path, context: Context) -> Iterator[dict[str, Any]]:
        """The provider's arguments: for a model that a step made, where its files are, with an adapter merged into its base for the while."""
        if isinstance(self.model, str):
            yield self.model_args
            return
        folder, merged = source_of(self.model, context), out / "merged"
        if is_adapter(folder):
            whole = load(self.model, context, merge=True)
            save(whole.model, whole.tokenizer, merged)
            folder = str(merged)
        try:
            yield {"model_path": folder, "tokenizer_path": folder, **self.model_args}
        finally:
            shutil.rmtree(merged, ignore_errors=True)


class Teller:
    """Hands the rows of ended samples to a display that knows them, and says now and then how many there are."""

    def __init__(self, context: Context) -> None:
        self.context, self.count, self.said = context, 0, time.monotonic()

    def __call__(self, told: Told) -> None:
        """Take rows of samples that have ended, or what a server does instead of answering."""
        self.context.show(told)
        if isinstance(told, Trouble):
            self.context.say(told.line())
            return
        self.count += len(told)
        if time.monotonic() - self.said > SAY_EVERY_S:
            self.said = time.monotonic()
            self.context.say(f"{self.count} samples")
