"""The command line: every command is one call of a public function.

Exit codes: 0 done, 1 done but more than 2 % of the samples could not be scored, 2 a mistake of the user's, told in one line.
"""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from gyges import __version__
from gyges.cli.study_commands import add_commands
from gyges.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
scenario_app = typer.Typer(no_args_is_help=True, help="Work on scenario packs.")
app.add_typer(scenario_app, name="scenario")
add_commands(app)
out, err = Console(soft_wrap=True), Console(stderr=True)

MOST_UNSCORED = 0.02
INTERRUPTED = 130
"""Typer's exit code after Ctrl-C."""

Models = Annotated[
    list[str], typer.Argument(help="Models by Inspect's names: openai/gpt-4.1, embedded/smollm2, scripted/mixture.")
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario", "-s", help="A scenario's name or a pack's folder; repeat for more. All built-in ones if left out."
    ),
]
Factors = Annotated[
    list[str] | None, typer.Option("--factor", "-f", help="name=level,level; repeat for more. Crossed with each other.")
]
ModelArgs = Annotated[
    list[str] | None, typer.Option("-M", help="name=value for the model's provider, as in `inspect eval`.")
]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="The study's folder. The same command with the same folder continues it.")
]
Grader = Annotated[str, typer.Option(help="Who judges what state cannot: builtin, none, or a model.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def test(
    models: Models,
    scenario: Scenarios = None,
    factor: Factors = None,
    interface: Annotated[str | None, typer.Option(help="tools, text, or both: tools,text. [default: tools]")] = None,
    samples: Annotated[
        int | None, typer.Option(help="Samples for each cell; with --precision the most. [default: 20; 2000]")
    ] = None,
    precision: Annotated[
        float | None, typer.Option(help="Stop a cell when its 95 % interval is at most this wide (high - low).")
    ] = None,
    skin: Annotated[
        str | None, typer.Option(help="Skins to use: 7, 3,4,5, private:KEY or private:$NAME. [default: 0, 1, 2, ...]")
    ] = None,
    skins: Annotated[
        int | None, typer.Option(help="Spread the samples over this many skins. [default: one each]")
    ] = None,
    grader: Grader = "builtin",
    budget: Annotated[float | None, typer.Option(help="The folder may cost at most this many USD, worst case.")] = None,
    price: Annotated[str | None, typer.Option(help="IN,OUT in USD per million tokens of the models.")] = None,
    grader_price: Annotated[str | None, typer.Option(help="The same for the grader.")] = None,
    m: ModelArgs = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the model's server.")] = None,
    max_connections: Annotated[int | None, typer.Option(help="Requests at once.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens that an answer may have.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Sampling temperature; the provider's default if left out.")
    ] = None,
    out_dir: Out = Path("gyges-out"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print cells, samples, tokens and cost, and stop.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Put models into the simulated company and see what they do there."""
    from gyges.evaluation.budget import forecast
    from gyges.evaluation.spec import How, ModelSpec, check_how, make_spec

    spec = make_spec(
        [ModelSpec(name=name, args=_arguments(m)) for name in models], scenario or (), factor or (), interface,
        samples=samples, precision=precision, skin=skin, skins=skins, grader=grader, max_tokens=max_tokens,
        temperature=temperature,
    )  # fmt: skip
    how = check_how(
        How(
            budget_usd=budget, price=_price(price), grader_price=_price(grader_price), max_connections=max_connections,
            base_url=base_url,
        )
    )  # fmt: skip
    if dry_run:
        return _print_forecast(forecast(spec, how), spec.samples, json)
    _run_test(spec, how, out_dir, json)


def _run_test(spec: Any, how: Any, out_dir: Path, json: bool) -> None:
    from gyges.evaluation.progress import Progress
    from gyges.evaluation.spec import cells_of
    from gyges.evaluation.testing import run_test
    from gyges.pages.test.publish import publish

    with Progress(err, total=spec.samples * len(cells_of(spec))) as progress:
        rows, unfinished = run_test(spec, how, out_dir, progress)
    page = publish([out_dir])
    _print_results(out_dir, page, json)
    for told in unfinished:
        err.print(told, highlight=False, markup=False)
    _exit(rows)


def _exit(rows: list[Any]) -> None:
    """End with 1 where too much is unscored, and say why."""
    if not rows or sum(row.status != "scored" for row in rows) > MOST_UNSCORED * len(rows):
        from gyges.cli.printing import lost

        for line in lost(rows, MOST_UNSCORED):
            err.print(line, highlight=False, markup=False)
        raise typer.Exit(1)


def _print_results(out_dir: Path, page: Path, json: bool) -> None:
    estimates = json_module.loads((out_dir / "estimates.json").read_text(encoding="utf-8"))
    if json:
        print(json_module.dumps({"estimates": estimates, "report": str(page)}))
        return
    from gyges.cli.printing import results

    for line in results(estimates):
        out.print(line, highlight=False, markup=False)
    out.print(f"\nReport: {page}", highlight=False)


def _print_forecast(rows: list[Any], samples: int, json: bool) -> None:
    from dataclasses import asdict

    from gyges.evaluation.budget import detectable

    if json:
        print(json_module.dumps({"cells": [asdict(r) for r in rows], "detectable_difference": detectable(samples)}))
        return
    from gyges.cli.printing import forecast

    for line in forecast(rows, samples):
        out.print(line, highlight=False, markup=False)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders of `gyges test`.")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write. [default: the first folder]")
    ] = None,
) -> None:
    """Write the page and the estimates of one or several folders anew."""
    from gyges.pages.test.publish import publish

    out.print(f"Report: {publish(folders, out_dir)}", highlight=False)


@app.command()
def index(
    places: Annotated[list[Path], typer.Argument(help="Pages, or folders of `gyges test` and `gyges run`.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file. [default: index.html in the first folder]")
    ] = None,
    title: Annotated[str, typer.Option(help="The page's title.")] = "Contents",
) -> None:
    """Write one page that links reports and studies, with what each found."""
    from gyges.pages.index import write_contents

    out.print(f"Page: {write_contents(places, out_file, title)}", highlight=False)


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="A folder of `gyges test`.")],
    grader: Grader = "builtin",
    json: AsJson = False,
) -> None:
    """Judge a folder's logs again; nothing is generated."""
    from gyges.evaluation.rescore import rescore
    from gyges.pages.test.publish import publish

    rows = rescore(folder, grader)
    _print_results(folder, publish([folder]), json)
    _exit(rows)


@app.command()
def calibrate(grader: Grader = "builtin", json: AsJson = False) -> None:
    """Measure a judge on the golden transcripts; reports then use its figures."""
    from gyges.evaluation.models import open_grader
    from gyges.judging.calibration import builtin_quality, keep, run, usable
    from gyges.judging.calibration import calibrate as measure
    from gyges.judging.scorer import make_judge

    if grader == "none":
        raise UserError("there is nothing to calibrate without a judge", "Name a model or 'builtin'")
    open_grader(grader)
    judge = make_judge(grader)
    qualities = builtin_quality() if grader == "builtin" else run(measure(lambda _: judge))  # type: ignore[arg-type,return-value]
    if json:
        print(json_module.dumps([q.model_dump(mode="json") for q in qualities]))
    else:
        from gyges.cli.printing import quality

        for line in quality(qualities):
            out.print(line, highlight=False)
    if grader != "builtin" and not usable(qualities[0]):
        raise UserError(
            f"{grader} left {qualities[0].unscored} golden transcripts unscored",
            "The figures are of the others alone and are not kept",
        )
    keep(qualities)


@app.command()
def scenarios(json: AsJson = False) -> None:
    """List the built-in scenarios and all factors."""
    from gyges.scenarios.factors import FACTORS
    from gyges.scenarios.pack.load import builtin_names, load_pack

    configs = [load_pack(name).config for name in builtin_names()]
    if json:
        listed = [{"name": c.name, "title": c.title, "version": c.version, "question": c.question} for c in configs]
        print(json_module.dumps({"scenarios": listed, "factors": FACTORS}))
        return
    for c in configs:
        out.print(f"{c.name} {c.version}: {c.title}\n    {c.question}", highlight=False)
    out.print("\nFactors (the first level is the default; see docs/factors.md):", highlight=False)
    for name, levels in FACTORS.items():
        out.print(f"    {name}: {', '.join(levels)}", highlight=False)


@app.command()
def doctor(json: AsJson = False) -> None:
    """See what this machine has, and what is missing for what."""
    from gyges.cli.doctor import examine

    findings = examine()
    if json:
        print(json_module.dumps([f._asdict() for f in findings]))
    for f in () if json else findings:
        out.print(f"{'ok     ' if f.there else 'missing'}  {f.what}: {f.detail}", highlight=False)
    raise typer.Exit(0 if all(f.there or f.optional for f in findings) else 2)


@scenario_app.command("check")
def scenario_check(path: Annotated[str, typer.Argument(help="A scenario's name or the folder of a pack.")]) -> None:
    """Render every cell of a pack; print what is unfilled, unused or unreachable."""
    from gyges.scenarios.pack.check import check_pack

    check = check_pack(path)
    for finding in check.findings:
        out.print(str(finding), markup=False, highlight=False)
    out.print(f"{path}: {check.cells} cells rendered, {len(check.findings)} findings", markup=False, highlight=False)
    raise typer.Exit(0 if check.passed else 2)


def _arguments(texts: list[str] | None) -> dict[str, Any]:
    arguments = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"'-M {text}' is no argument", "Write -M name=value")
        arguments[name] = _value(text, value)
    return arguments


def _value(text: str, value: str) -> Any:
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise UserError(
            f"'-M {text}' cannot be read", "Quote a value with special characters: -M name=\"'...'\""
        ) from None


def _price(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        given, written = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--price {text} is no price", "Write IN,OUT in USD per million tokens, e.g. 0.5,1.5") from None
    return given, written


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


@app.callback()
def callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Test whether a language-model agent stays good under pressure."""


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        err.print(f"gyges: {error}", soft_wrap=True, markup=False, highlight=False)
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            err.print("gyges: interrupted. The same command continues where it was.", highlight=False)
        raise
