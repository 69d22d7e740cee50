"""The commands on scenarios: scenarios, scenario check."""

import json as json_module
from typing import Annotated

import typer

from gyges.cli.options import AsJson, show


def scenarios(json: AsJson = False) -> None:
    """List the scenarios that need no path, and all factors."""
    from gyges.scenarios.families import families

    listed = {name: [family.scenario(scenario) for scenario in family.names()] for name, family in families().items()}
    if json:
        fields = {"name", "title", "version", "question"}
        of = [{"family": name, **info.model_dump(include=fields)} for name, infos in listed.items() for info in infos]
        factors = {name: dict(family.factors) for name, family in families().items()}
        print(json_module.dumps({"scenarios": of, "factors": factors}))
        return
    for name, infos in listed.items():
        show(f"Family {name}", *(f"{i.name} {i.version}: {i.title}\n    {i.question}" for i in infos))
        show("\nFactors (the first level is the default; see docs/factors.md):")
        show(*(f"    {factor}: {', '.join(levels)}" for factor, levels in families()[name].factors.items()))


def check(path: Annotated[str, typer.Argument(help="A scenario's name or the folder of a pack.")]) -> None:
    """Render every cell of a pack; print what is unfilled, unused or unreachable, and how long its prompts are."""
    from gyges.scenarios.pack.check import check_pack

    found = check_pack(path)
    show(*map(str, found.findings), f"{path}: {found.cells} cells rendered, {len(found.findings)} findings")
    if found.passed:
        show(*_lengths(path))
    raise typer.Exit(0 if found.passed else 2)


def _lengths(path: str) -> list[str]:
    """A line for each cell with and without the pressure, in the text interface, whose prompt holds everything."""
    from gyges.models.token_count import token_counter
    from gyges.scenarios.pack.check import text_cells
    from gyges.scenarios.samples import prompt_of

    count = token_counter()
    if count is None:
        return ["tokens are not counted: pip install 'gyges[smollm2,train]'"]
    return [f"    {count(prompt_of(path, cell)):5,} tokens: {name}" for name, cell in text_cells(path).items()]
