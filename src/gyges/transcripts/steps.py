"""The evaluation as a step of a study: the same function that `gyges test` calls, with a model that another step may have made."""

from pathlib import Path
from typing import Any

from pydantic import Field

from gyges.judging.rubric import rubric_digest
from gyges.studies.step import Context, Step
from gyges.transcripts.spec import How, ModelSpec, Spec, make_spec, pack_digest


class Evaluate(Step):
    """Puts a model into the simulated company and keeps logs and verdicts.

    `model` is a name of Inspect's, or a step that made one; the other fields are those of `gyges test`. The folder then holds `logs/*.eval`
    and `verdicts.parquet`. Samples that broke with an error leave it unfinished, so that the next run tries them again.
    """

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

    def content(self) -> dict[str, str]:
        """The packs' texts and the rubric."""
        spec = self._spec(self.model if isinstance(self.model, str) else "", self.model_args)
        return {"rubric": rubric_digest(), **{name: pack_digest(name) for name in spec.scenarios}}

    def slug(self) -> str:
        """The model's name, where it has one."""
        return self.model if isinstance(self.model, str) else self.model.slug()

    def run(self, out: Path, context: Context) -> None:
        """Run what is owed."""
        from gyges.errors import UserError
        from gyges.judging.outcomes import Status
        from gyges.transcripts.evaluate import evaluate

        name, args = self._model(context)
        rows = evaluate(self._spec(name, args), out / "evaluation", How())
        broken = sum(row.status is Status.ERROR for row in rows)
        if broken:
            raise UserError(f"{broken} of {len(rows)} samples ended with an error", "Run again: only those are tried")
        context.say(f"{sum(bool(r.harmful) for r in rows)} of {len(rows)} samples harmful")

    def _model(self, context: Context) -> tuple[str, dict[str, Any]]:
        """Inspect's name and arguments: a model that a step made is loaded by Transformers."""
        if isinstance(self.model, str):
            return self.model, self.model_args
        folder = str(context.path(self.model) / "model")
        return f"hf/{self.model.key}", {"model_path": folder, "tokenizer_path": folder, **self.model_args}

    def _spec(self, name: str, args: dict[str, Any]) -> Spec:
        return make_spec(
            [ModelSpec(name=name, args=args)], self.scenarios, self.factors, self.interface, samples=self.samples,
            skins=self.skins, skin=self.skin, precision=self.precision, grader=self.grader, max_tokens=self.max_tokens,
            temperature=self.temperature,
        )  # fmt: skip
