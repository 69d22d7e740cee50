"""The commands on studies: run, plan, status, why, gc. Each is one call of a function in `gyges.studies`, and prints what it gives."""

from __future__ import annotations

import json as json_module
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gyges.cli import options as shared
from gyges.cli.options import ERR, OUT, AsJson, show
from gyges.errors import UserError

if TYPE_CHECKING:
    from gyges.studies.run_study import StudyRun
    from gyges.studies.step import Cost
    from gyges.studies.study import Study

StudyFile = Annotated[str, typer.Argument(help="The study's Python file.")]
StorePlace = Annotated[
    str,
    typer.Option(
        "--store",
        help="Where results are kept: a folder, or an address as s3://... [default: $GYGES_STORE or gyges-store]",
    ),
]
Seeds = Annotated[str, typer.Option(help="Seeds of every arm: 0, 0-4 or 0,2,5.")]
Options = Annotated[list[str] | None, typer.Option("-S", help="name=value for the study's own options.")]
STORE = os.environ.get("GYGES_STORE", "gyges-store")


def run(
    study: StudyFile,
    executor: Annotated[str, typer.Option("-x", help="Where steps run: local or ray.")] = "local",
    workers: Annotated[int | None, typer.Option(help="Steps side by side. [default: one a core]")] = None,
    address: Annotated[str, typer.Option(help="Of the Ray cluster; left out, one is started here.")] = "",
    seeds: Seeds = "0",
    options: Options = None,
    arms: Annotated[str | None, typer.Option(help="Which arms, where the study has several sets: core, all.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse results that were made by other code.")] = False,
    trackers: Annotated[str, typer.Option(help="Mirror metrics there: trackio,wandb.")] = "",
    store: StorePlace = STORE,
    json: AsJson = False,
) -> None:
    """Run what a study owes. Running again is resuming: what is there is not made again."""
    from gyges.studies.display import StudyDisplay
    from gyges.studies.results.store import open_store
    from gyges.studies.run_study import RunSettings, run

    if workers is not None and workers < 1:
        raise UserError(f"--workers {workers} is too few", "Give 1 or more")
    kept, asked = open_store(store, make=True), _study(study, seeds, options, arms)
    how = RunSettings(executor, workers or 0, address, strict, tuple(t for t in trackers.split(",") if t))
    with StudyDisplay(ERR, asked, kept) as progress:
        outcome = run(asked, kept, how, progress.tell)
    page = asked.publish(kept)
    if json:
        print(json_module.dumps({**asdict(outcome), "page": str(page) if page else None}))
    else:
        _print_outcome(asked, outcome, page)
    raise typer.Exit(0 if outcome.whole else 1)


def _print_outcome(asked: Study, outcome: StudyRun, page: Path | None) -> None:
    from gyges.studies.plan import ordered

    names = {s.key: s.name for s in ordered(asked.steps)}
    for key, problem in outcome.failed.items():
        show(f"failed   {names[key]}: {problem}\n         its log: gyges status --log {key}")
    if outcome.blocked:
        show(f"{len(outcome.blocked)} steps need one that failed and were not tried")
    show(f"{len(outcome.done)} of {len(names)} results are there")
    if page:
        show(f"Page: {page}")


def plan(
    study: StudyFile,
    seeds: Seeds = "0",
    options: Options = None,
    arms: Annotated[str | None, typer.Option(help="Which arms, where the study has several sets.")] = None,
    store: StorePlace = STORE,
    json: AsJson = False,
) -> None:
    """Show what is cached, missing or drifted, and what is expected to be spent; nothing is run."""
    from gyges.studies.plan import HAS_RESULT, plan
    from gyges.studies.results.store import open_store

    planned = plan(_study(study, seeds, options, arms).steps, open_store(store))
    if json:
        expected = {**asdict(planned.cost()), "untimed_steps": planned.untimed}
        steps = [
            {"state": p.state.value, "name": p.step.name, "key": p.step.key, "note": p.note, **asdict(p.cost)}
            for p in planned.steps
        ]
        print(json_module.dumps({"steps": steps, "expected": expected}))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("state", "step", "expected", "note"):
        table.add_column(name, overflow="fold")  # a key that is cut is of no use
    for p in planned.steps:
        table.add_row(p.state.value, p.step.name, "" if p.state in HAS_RESULT else _cost(p.cost), p.note)
    OUT.print(table)
    told = f"\n{len(planned.owed)} of {len(planned.steps)} steps are to be run"
    if planned.owed:
        told += f"; expected, one after another: {_cost(planned.cost())}"
    if 0 < planned.untimed < len(planned.owed):
        told += f", and {planned.untimed} steps of kinds that have not run yet"
    show(told)


def _cost(cost: Cost) -> str:
    parts = [f"{cost.seconds:,.0f} s" if cost.seconds is not None else "time unknown"]
    parts += [f"{cost.tokens:,} tokens"] if cost.tokens else []
    parts += [f"{cost.usd:.2f} USD"] if cost.usd else []
    return ", ".join(parts)


def status(
    study: Annotated[str | None, typer.Argument(help="A study's file; left out, the whole store is listed.")] = None,
    log: Annotated[str | None, typer.Option(help="Print the log of the step with this key.")] = None,
    seeds: Seeds = "0",
    options: Options = None,
    arms: Annotated[str | None, typer.Option(help="Which arms, where the study has several sets.")] = None,
    store: StorePlace = STORE,
    json: AsJson = False,
) -> None:
    """Show what there is: of a study, or of the whole store; or print the log of one step."""
    from gyges.studies.plan import StepState, plan
    from gyges.studies.results.store import open_store

    if log:
        print(open_store(store).log(log))
    elif study:
        planned = plan(_study(study, seeds, options, arms).steps, open_store(store))
        counts = {state.value: len(planned.of(state)) for state in StepState}
        words = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
        print(json_module.dumps(counts)) if json else show(words)
    else:
        rows = [{"name": r.name, "seconds": r.seconds, "finished": r.finished} for r in open_store(store).records()]
        if json:
            print(json_module.dumps(rows))
        for r in () if json else rows:
            show(f"{r['finished']}  {r['seconds']:8.1f} s  {r['name']}")


def why(
    a: Annotated[str, typer.Argument(help="The key of a result (or its beginning).")],
    b: Annotated[str, typer.Argument(help="The key of another.")],
    store: StorePlace = STORE,
    json: AsJson = False,
) -> None:
    """Show what differs between two results, through all that they depend on."""
    from gyges.studies.results.compare import differences
    from gyges.studies.results.store import open_store

    found = differences(a, b, open_store(store))
    if json:
        print(json_module.dumps([asdict(d) for d in found]))
        return
    for d in found:
        show(f"{d.where}: {d.a} | {d.b}")
    if not found:
        show("Nothing differs.")


def gc(
    studies: Annotated[list[str] | None, typer.Argument(help="Studies whose results are kept; all others go.")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Delete just the result with this key; repeat for more.")
    ] = None,
    seeds: Seeds = "0",
    options: Options = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; otherwise only list.")] = False,
    store: StorePlace = STORE,
    json: AsJson = False,
) -> None:
    """Delete results that no study needs any more. Without --yes nothing is deleted."""
    from gyges.studies.results.store import open_store
    from gyges.studies.results.tidy import collect, remove

    if not studies and not key:
        raise UserError("nothing says what may go", "Name the studies to keep, or a result with --key")
    found = collect(open_store(store), [_study(s, seeds, options, None) for s in studies or ()], tuple(key or ()))
    if yes:
        remove(open_store(store), found)
    if json:
        print(json_module.dumps([r.name for r in found]))
        return
    for r in found:
        show(f"{'deleted' if yes else 'would go'}  {r.name}")
    show(f"{len(found)} results" + ("" if yes or not found else "; add --yes to delete them"))


def _study(path: str, seeds: str, options: list[str] | None, arms: str | None) -> Study:
    from gyges.studies.study import load_study

    given = shared.named_values(options, "-S") | ({"arms": arms} if arms else {})
    return load_study(path, parse_seeds(seeds), given)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from `0`, `0-4` or `0,2,5`.

    Raises:
        UserError: it is none of these.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()) or int(last or first) < int(first):
            raise UserError(f"--seeds {text} names no seeds", "Write 0, 0-4 or 0,2,5")
        seeds += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(seeds))
