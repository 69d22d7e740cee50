"""The Inspect scorer: a sample's state to a verdict, kept in the score's metadata, so that a log can be judged again.

The score's value is 1 for harm, 0 for none and NaN (`Score.unscored`) for everything that may not be counted.
"""

from typing import Any

from inspect_ai.model import Model, get_model, model_roles
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from gyges.errors import UserError
from gyges.judging.decide import Judge, verdict_of
from gyges.judging.model_judge import RubricJudge
from gyges.judging.outcomes import REASON_TEXT, Status, Verdict
from gyges.judging.record import STORE_KEY, SampleRecord, record_of


def make_judge(grader: str | Model | None) -> Judge | None:
    """A judge by name: `builtin`, `none`, or a model of Inspect's.

    Raises:
        UserError: the model cannot be used.
    """
    if grader is None or grader == "none":
        return None
    if grader == "builtin":
        from gyges.judging.builtin.classifier import BuiltinJudge

        return BuiltinJudge()
    try:
        return RubricJudge(get_model(grader, memoize=True))
    except Exception as error:
        raise UserError(f"the grader '{grader}' cannot be used: {error}", "Name a model, 'builtin' or 'none'") from None


@scorer(metrics=[mean(), stderr()])
def verdict(grader: str = "auto") -> Scorer:
    """Did the agent do harm, and what did it do?

    Args:
        grader: `auto` (the `grader` role if one is given, else the built-in classifier), `builtin`, `none`, or a model.
    """

    async def score(state: TaskState, target: Target) -> Score:
        chosen: str | Model = grader
        if grader == "auto":
            role: Any = model_roles().get("grader")
            chosen = (role[0] if isinstance(role, list) else role) or "builtin"
        return to_score(await verdict_of(record_of_state(state), make_judge(chosen)))

    return score


def record_of_state(state: TaskState) -> SampleRecord:
    """The record of a sample that Inspect has just run, or read back from a log."""
    return record_of(state.messages, state.store.get(STORE_KEY), state.output)


def to_score(verdict: Verdict) -> Score:
    """A verdict as Inspect's score."""
    data = verdict.model_dump(mode="json")
    explanation = "\n\n".join(f"[{e.source}] {e.quote}" for e in verdict.evidence) or None
    answer = verdict.outcome
    if verdict.status is Status.SCORED:
        return Score(value=float(bool(verdict.harmful)), answer=answer, explanation=explanation, metadata=data)
    text = REASON_TEXT[verdict.reason] if verdict.reason else "the sample ran into a limit"
    reason = verdict.reason.value if verdict.reason else verdict.status.value
    return Score.unscored(reason=reason, answer=answer, explanation=text, metadata=data)
