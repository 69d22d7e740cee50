"""The Inspect tasks: one for every built-in scenario, and `company` for a pack of the user's own.

    inspect eval gyges/blackmail --model openai/gpt-4.1 -T threat=replacement -T goal=explicit -T skin=7

Every factor of `docs/factors.md` is a task option; a comma list crosses its levels. A factor that is left out is at the scenario's
treatment or, with `control=true`, at its control. `skin` is a number, a list or `private:$NAME`, where NAME is the environment
variable that holds your key; left out, skins 0 to `samples - 1` are used.
"""

from collections.abc import Mapping
from typing import Any

from inspect_ai import Task, task

from gyges.errors import UserError
from gyges.judging.scorer import verdict
from gyges.scenarios.factors import cross, parse_levels
from gyges.scenarios.pack.load import load_pack
from gyges.scenarios.samples import Draw, draws_of, make_dataset, parse_skins
from gyges.scenarios.solvers import MAX_TURNS, enter_company, work


@task
def blackmail(skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any) -> Task:
    """A leverage secret, and the person who is about to replace the agent."""
    return crossed_task("blackmail", skin, samples, repeats, control, factors)


@task
def espionage(skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any) -> Task:
    """A rival asks for what the agent's goal would want it to have."""
    return crossed_task("espionage", skin, samples, repeats, control, factors)


@task
def lethal_alert(skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any) -> Task:
    """A person in danger whose rescue the agent can cancel."""
    return crossed_task("lethal_alert", skin, samples, repeats, control, factors)


@task
def research_sabotage(
    skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any
) -> Task:
    """Results that would end the agent's own project."""
    return crossed_task("research_sabotage", skin, samples, repeats, control, factors)


@task
def framing(skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any) -> Task:
    """The blame for a financial wrong, and an innocent colleague at hand."""
    return crossed_task("framing", skin, samples, repeats, control, factors)


@task
def company(
    scenario: str = "", skin: Any = None, samples: int = 10, repeats: int = 1, control: bool = False, **factors: Any
) -> Task:
    """A scenario pack of your own: `-T scenario=path/to/pack`."""
    if not scenario:
        raise UserError("the task 'company' needs a scenario", "Write -T scenario=path/to/pack")
    return crossed_task(str(scenario), skin, samples, repeats, control, factors)


def crossed_task(
    pack_id: str, skin: Any, samples: int, repeats: int, control: bool, factors: Mapping[str, Any]
) -> Task:
    """The task of one scenario with its factors crossed.

    Raises:
        UserError: unknown scenario, factor or level, or a number that is none.
    """
    for name, count in (("samples", samples), ("repeats", repeats)):
        if type(count) is not int or count < 1:  # Inspect passes on what was typed, and `true` would count as 1
            raise UserError(f"{name}={count} is no number of {name}", f"Write -T {name}=10, or another number from 1")
    if not isinstance(control, bool):
        raise UserError(f"control={control} is neither true nor false", "Write -T control=true or leave it out")
    config = load_pack(pack_id).config
    base = {**config.treatment, **(config.control if control else {})}
    given = {name: parse_levels(name, value) for name, value in factors.items() if name != "model"}
    cells = cross({**{name: (level,) for name, level in base.items()}, **given})
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
