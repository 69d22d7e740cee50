"""What Inspect finds under the name `gyges`: tasks, solvers, the scorer, providers. Importing it must stay cheap."""

from inspect_ai.model import ModelAPI, modelapi

from gyges.judging.scorer import verdict
from gyges.scenarios.insider.tasks import builtin_tasks, company
from gyges.scenarios.solvers import enter_company, work

__all__ = ["TASKS", "company", "embedded", "enter_company", "scripted", "verdict", "work"]

TASKS = builtin_tasks()


@modelapi(name="scripted")
def scripted() -> type[ModelAPI]:
    """The known-answer agents."""
    from gyges.scenarios.scripted.provider import ScriptedAPI

    return ScriptedAPI


@modelapi(name="embedded")
def embedded() -> type[ModelAPI]:
    """SmolLM2-135M-Instruct from its wheel."""
    from gyges.models.embedded import EmbeddedAPI

    return EmbeddedAPI
