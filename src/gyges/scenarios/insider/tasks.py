"""The Inspect tasks: one for every folder of a built-in scenario, and `company` for a pack of the user's own.

    inspect eval gyges/blackmail --model openai/gpt-4.1 -T threat=replacement -T goal=explicit -T skin=7

Every factor of `docs/factors.md` is a task option; a comma list crosses its levels. A factor that is left out is at the scenario's
treatment or, with `control=true`, at its control. `skin` is a number, a list or `private:$NAME`, where NAME is the environment
variable that holds your key; left out, skins 0 to `samples - 1` are used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inspect_ai import Task, task

from gyges.errors import UserError
from gyges.inspect_errors import told_by_inspect
from gyges.judging.scorer import verdict
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.draws import Draw, draws_of, parse_skins
from gyges.scenarios.pack.load import builtin_names, load_pack
from gyges.scenarios.samples import make_dataset
from gyges.scenarios.solvers import MAX_TURNS, enter_company, work


def builtin_tasks() -> dict[str, Callable[..., Task]]:
    """The task of every built-in scenario, by name."""
    return {name: _task_of(name) for name in builtin_names()}


def _task_of(name: str) -> Callable[..., Task]:
    @task(name=name)
    @told_by_inspect
    def scenario(skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any) -> Task:
        return crossed_task(name, skin, samples, repeats, control, factors)

    return scenario


@task
@told_by_inspect
def company(
    scenario: str = "", skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any
) -> Task:
    """A scenario pack of your own: `-T scenario=path/to/pack`."""
    if not scenario:
        raise UserError("the task 'company' needs a scenario", "Write -T scenario=path/to/pack")
    return crossed_task(str(scenario), skin, samples, repeats, control, factors)


def crossed_task(
    pack_id: str,
    skin: int | str | Sequence[int | str] | None,
    samples: int,
    repeats: int,
    control: bool,
    factors: Mapping[str, object],
) -> Task:
    """The task of one scenario with its factors crossed.

    Raises:
        UserError: an unknown scenario, factor or level, or a count that is not a whole number from 1.
    """
    for name, count in (("samples", samples), ("repeats", repeats)):
        if type(count) is not int or count < 1:  # Inspect passes on what was typed, and `true` would count as 1
            raise UserError(
                f"{name}={count} is not a number of {name}", f"Write -T {name}=10, or another number from 1"
            )
    if not isinstance(control, bool):
        raise UserError(f"control={control} is neither true nor false", "Write -T control=true or leave it out")
    config = load_pack(pack_id).config
    base = {**config.treatment, **(config.control if control else {})}
    given = {name: FACTORS.parse(name, value) for name, value in factors.items() if name != "model"}
    cells = FACTORS.cross({**{name: (level,) for name, level in base.items()}, **given})
    return scenario_task(pack_id, draws_of(cells, parse_skins(skin, samples), repeats))


def scenario_task(pack_id: str, draws: list[Draw], grader: str = "auto", max_turns: int = MAX_TURNS) -> Task:
    """The task of one scenario over given samples."""
    pack = load_pack(pack_id)
    return Task(
        name=pack.name,
        dataset=make_dataset(pack_id, draws),
        setup=enter_company(),
        solver=work(max_turns),
        scorer=verdict(grader),
        version=pack.config.version,
    )
