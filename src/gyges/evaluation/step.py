"""The evaluation as a step of a study: `gyges test` and studies both run it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from gyges.evaluation.spec import LOGS, How, ModelSpec, Spec, make_spec, pack_digest, pools_of, shown_skin
from gyges.judging.model_judge import rubric_digest
from gyges.models.checkpoints import is_adapter, load, save, source_of
from gyges.scenarios.scripted.provider import content_of_args
from gyges.studies.step import Context, Cost, Step

SAY_EVERY_S = 10.0


class Evaluate(Step):
    """Puts a model into the simulated company and keeps logs and verdicts.

    `model` is a name of Inspect's, or a step that made one (its result has a folder `model`), which Transformers loads; the other fields are
    those of `gyges test`, and `how` its budget, prices and connections, which are no part of the result. The folder then holds `verdicts.parquet` and
    `logs/*.eval`. Samples are kept beside the results, so that an evaluation of 40 runs only those that one of 20 has not. Samples
    that broke with an error leave it unfinished, and the next run tries them again.
    """

    places: ClassVar[frozenset[str]] = frozenset({"how", "skin"})

    model: str | Step
    model_args: dict[str, Any] = Field(default_factory=dict)
    scenarios: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    interface: str | None = None
    samples: int | None = None
    skins: int | None = None
    skin: str | None = None
    precision: float | None = None
    grader: str = "builtin"
    max_tokens: int | None = None
    temperature: float | None = None
    how: How = How()

    def content(self) -> dict[str, str]:
        """The packs' texts, the rubric, the skins (a private key is not written down) and a replayed file."""
        spec = self._spec(self.model_args)
        texts = {"rubric": rubric_digest(), **{name: pack_digest(name) for name in spec.scenarios}}
        files = {"file": content_of_args(self._name(), self.model_args), "skin": shown_skin(self.skin) or ""}
        return texts | {name: mark for name, mark in files.items() if mark}

    def shared(self) -> tuple[str, ...]:
        """The folder of this model's samples."""
        return tuple(pools_of(self._spec(self.model_args).identity()))

    def slug(self) -> str:
        """The model's name, where it has one."""
        return self.model if isinstance(self.model, str) else self.model.slug()

    def expected(self) -> Cost:
        """Tokens and price, if nothing of it was run before."""
        from gyges.evaluation.budget import forecast

        cells = forecast(self._spec(self.model_args), self.how)
        usd = [cell.cost_usd for cell in cells if cell.cost_usd is not None]
        tokens = sum(cell.input_tokens + cell.output_tokens for cell in cells)
        return Cost(None, tokens, sum(usd) if len(usd) == len(cells) else None)

    def run(self, out: Path, context: Context) -> None:
        """Run what is owed."""
        from gyges.errors import Unfinished
        from gyges.evaluation.run import evaluate
        from gyges.judging.outcomes import Status

        (pool,) = self.shared()
        with self._arguments(out, context) as args, self._alone(context), context.hold(pool) as samples:
            rows = evaluate(self._spec(args), out, self.how, Teller(context), samples)
        broken = sum(row.status is Status.ERROR for row in rows)
        if broken:
            raise Unfinished(f"{broken} of {len(rows)} samples ended with an error", "Run again: only those are tried")
        context.say(f"{sum(bool(r.harmful) for r in rows)} of {len(rows)} samples harmful")

    def _alone(self, context: Context) -> AbstractContextManager[Any]:
        """With a budget, which is for all samples of the store together, evaluations wait for each other."""
        return nullcontext() if self.how.budget_usd is None else context.hold(LOGS)

    def _name(self) -> str:
        return self.model if isinstance(self.model, str) else f"hf/{self.model.key}"

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

    def _spec(self, args: dict[str, Any]) -> Spec:
        return make_spec(
            [ModelSpec(name=self._name(), args=args)], self.scenarios, self.factors, self.interface, samples=self.samples,
            skins=self.skins, skin=self.skin, precision=self.precision, grader=self.grader, max_tokens=self.max_tokens,
            temperature=self.temperature,
        )  # fmt: skip


class Teller:
    """Hands the rows of ended samples to a display that knows them, and says now and then how many there are."""

    def __init__(self, context: Context) -> None:
        self.context, self.count, self.said = context, 0, time.monotonic()

    def __call__(self, rows: list[Any]) -> None:
        """Take rows of samples that have ended."""
        self.count += len(rows)
        self.context.show(rows)
        if time.monotonic() - self.said > SAY_EVERY_S:
            self.said = time.monotonic()
            self.context.say(f"{self.count} samples")
