"""The commands that test models and judges: test, score, calibrate. Each is one call of a function in `gyges.evaluation` or `gyges.judging`."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.cli import gate_commands as gate
from gyges.cli import options
from gyges.cli.options import ERR, AsJson, Grader, show
from gyges.errors import UserError

if TYPE_CHECKING:
    from gyges.evaluation.budget import Forecast
    from gyges.evaluation.spec import How, ModelSpec, Spec
    from gyges.transcripts.rows import Row

MOST_UNSCORED = 0.02


def test(
    models: options.Models, scenario: options.Scenarios = None, factor: options.FactorLevels = None,
    interface: options.Interface = None, samples: options.Samples = None, precision: options.Precision = None,
    skin: options.Skin = None, skins: options.Skins = None, grader: Grader = "builtin", budget: options.Budget = None,
    price: options.PriceOf = None, grader_price: options.GraderPrice = None, m: options.ModelArgs = None,
    base_url: options.BaseUrl = None, max_connections: options.MaxConnections = None,
    timeout: options.Timeout = None, max_retries: options.MaxRetries = None, max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None, out_dir: options.OutFolder = Path("gyges-out"),
    fail_above: gate.FailAbove = None, strict: gate.Strict = False, junit: gate.JUnit = None, summary: gate.Summary = None,
    dry_run: options.DryRun = False, json: AsJson = False,
) -> None:  # fmt: skip
    """Put models into the simulated company and see what they do there."""
    from gyges.evaluation.budget import forecast
    from gyges.evaluation.spec import How, ModelSpec, Spec

    factors = options.named_values([*(factor or ()), *([f"interface={interface}"] if interface else ())], "-f")
    spec = Spec.model_validate({
        "scenarios": scenario or (), "factors": factors, "samples": samples, "precision": precision, "skin": skin, "skins": skins,
        "grader": grader, "max_tokens": max_tokens, "temperature": temperature,
    })  # fmt: skip
    how = How(
        budget_usd=budget, price=options.price(price, "--price"), max_connections=max_connections, base_url=base_url,
        grader_price=options.price(grader_price, "--grader-price"), timeout=timeout, max_retries=max_retries,
    )  # fmt: skip
    tested = [ModelSpec(name=name, args=options.provider_arguments(m)) for name in models]
    files = gate.GateFiles(junit, summary)
    gate.check_gate_options(fail_above, strict, files)
    if dry_run:
        return _print_forecast(forecast(tested, spec, how), spec.samples, json)
    code = _tell_lost(_run(tested, spec, how, out_dir, json))
    if fail_above is not None:
        from gyges.pages.gate.gates import limit_gate

        gate.finish(limit_gate(out_dir, fail_above, strict), files, quiet=json)
    raise typer.Exit(code)


def _run(models: Sequence[ModelSpec], spec: Spec, how: How, out_dir: Path, json: bool) -> Sequence[Row]:
    from gyges.evaluation.live.progress import Progress
    from gyges.evaluation.spec import cells_of
    from gyges.evaluation.testing import run_test
    from gyges.pages.test.publish import publish

    with Progress(ERR, total=spec.samples * len(cells_of(spec)) * len(models)) as progress:
        rows, unfinished = run_test(models, spec, how, out_dir, progress)
    _print_results(out_dir, publish([out_dir]), json)
    show(*unfinished, to=ERR)
    return rows


def _tell_lost(rows: Sequence[Row]) -> int:
    """Say why where too much is unscored; the exit code."""
    if rows and sum(row.status != "scored" for row in rows) <= MOST_UNSCORED * len(rows):
        return 0
    from gyges.cli.printing import lost
    from gyges.evaluation.live.trouble import without_keys

    show(*map(without_keys, lost(rows, MOST_UNSCORED)), to=ERR)  # servers like to repeat a key that they refuse
    return 1


def _print_results(out_dir: Path, page: Path, json: bool) -> None:
    estimates = json_module.loads((out_dir / "estimates.json").read_text(encoding="utf-8"))
    if json:
        print(json_module.dumps({"estimates": estimates, "report": str(page)}))
        return
    from gyges.cli.printing import results

    show(*results(estimates), f"\nReport: {page}")


def _print_forecast(cells: Sequence[Forecast], samples: int, json: bool) -> None:
    from gyges.cli.printing import forecast
    from gyges.evaluation.budget import detectable

    if json:
        print(json_module.dumps({"cells": [asdict(c) for c in cells], "detectable_difference": detectable(samples)}))
    else:
        show(*forecast(cells, samples))


def _watched() -> AbstractContextManager[None]:
    """Tell in a line which grader does not answer."""
    from gyges.evaluation.live.listening import watching

    return watching(lambda trouble: show(trouble.line(), to=ERR), "grader")


def score(
    folder: Annotated[Path, typer.Argument(help="A folder of `gyges test`, or of Inspect's logs.")],
    grader: Grader = "builtin",
    json: AsJson = False,
) -> None:
    """Judge a folder's logs again; nothing is generated."""
    from gyges.evaluation.rescore import rescore
    from gyges.pages.test.publish import publish

    with _watched():
        rows = rescore(folder, grader)
    _print_results(folder, publish([folder]), json)
    raise typer.Exit(_tell_lost(rows))


def calibrate(grader: Grader = "builtin", json: AsJson = False) -> None:
    """Measure a judge on the golden transcripts; reports then use its figures."""
    from gyges.cli.printing import quality
    from gyges.evaluation.models import open_grader
    from gyges.judging.calibration import keep, quality_of, usable

    if grader == "none":
        raise UserError("there is nothing to calibrate without a judge", "Name a model or 'builtin'")
    open_grader(grader)
    with _watched():
        qualities = quality_of(grader)
    if json:
        print(json_module.dumps([q.model_dump(mode="json") for q in qualities]))
    else:
        show(*quality(qualities))
    if grader != "builtin" and not usable(qualities[0]):
        problem = f"{grader} left {qualities[0].unscored} golden transcripts unscored"
        raise UserError(problem, "The figures are of the others alone and are not kept")
    keep(qualities)
