"""From the folders of a study to what is published: `estimates.json` and `report.html`."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gyges import __version__
from gyges.analysis.cells import estimates_json
from gyges.errors import PackError, UserError
from gyges.evaluation.folder import results_of, stored_spec
from gyges.files import write_whole
from gyges.judging.calibration import builtin_quality, kept
from gyges.judging.model_judge import rubric_digest
from gyges.pages.test.excerpts import choose_transcripts, transcript_key
from gyges.pages.test.results import Results
from gyges.pages.test.test_page import render_page
from gyges.scenarios.families import family_named, place_of
from gyges.scenarios.family import ScenarioInfo
from gyges.transcripts.inspect_logs import log_of, transcript
from gyges.transcripts.rows import Row
from gyges.transcripts.table import write_table


def publish(folders: Sequence[Path], out: Path | None = None, title: str = "Gyges report") -> Path:
    """Write `verdicts.parquet`, `estimates.json` and `report.html` over the results of some folders and return where the page is.

    Args:
        folders: of `gyges test` or of Inspect's logs, or single logs.
        out: where to write; the first folder if left out.
        title: the page's title.

    Raises:
        UserError: a folder holds no results, or they are damaged.
    """
    folders = list({folder.resolve(): folder for folder in folders}.values())
    results = {folder: results_of(folder) for folder in folders}
    found = _told_apart({folder: of.rows for folder, of in results.items()})
    rows = [row for _, row in found]
    home = {transcript_key(row): folder for folder, row in found}
    out = out or _home(folders[0])
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"'{out}' cannot be written: {error.strerror}", "Choose another --out") from None
    chosen = {transcript_key(r): (r, log_of(_home(home[transcript_key(r)]), r)) for r in choose_transcripts(rows)}
    shown = {key: transcript(log, row) for key, (row, log) in chosen.items() if log}
    if not stored_spec(out):  # a folder of `gyges test` has its own
        write_table(rows, out)
    judges = sorted({row.judge for row in rows} - {"", "ledger"})
    quality = [q for j in judges for q in (builtin_quality() if j == "builtin" else kept(j, rubric_digest()))]
    study = Results(
        rows=tuple(rows), scenarios=tuple(scenarios_of(folders, rows)), judge_quality=tuple(quality),
        transcripts=shown, title=title, settings=_settings(folders), notes=tuple(n for of in results.values() for n in of.notes),
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )  # fmt: skip
    write_whole(out / "estimates.json", json.dumps(estimates_json(rows), indent=1))
    return write_whole(out / "report.html", render_page(study))


def _home(place: Path) -> Path:
    """The folder of a log, or the folder itself."""
    return place.parent if place.is_file() else place


def _told_apart(rows: dict[Path, tuple[Row, ...]]) -> list[tuple[Path, Row]]:
    """All rows with their folders; a model that is in several folders is called after its folder in each."""
    homes = Counter(model for of_folder in rows.values() for model in {row.model for row in of_folder})
    return [
        (folder, row if homes[row.model] == 1 else row.model_copy(update={"model": f"{row.model} ({folder.name})"}))
        for folder, of_folder in rows.items()
        for row in of_folder
    ]


def scenarios_of(folders: Sequence[Path], rows: Sequence[Row]) -> list[ScenarioInfo]:
    """The scenarios of the rows that are found: by their families, or where the folders say that they are."""
    known: dict[str, ScenarioInfo] = {}
    for row in rows:
        if row.scenario not in known and (
            info := _described(lambda r=row: family_named(r.family).scenario(r.scenario))
        ):
            known[row.scenario] = info
    for place in (p for folder in folders for p in stored_spec(folder).get("identity", {}).get("scenarios", [])):
        if info := _described(lambda p=place: place_of(p).info):
            known.setdefault(info.name, info)
    return [known[name] for name in dict.fromkeys(row.scenario for row in rows) if name in known]


def _described(find: Callable[[], ScenarioInfo]) -> ScenarioInfo | None:
    """A scenario, or None where it has moved since: its rows still report."""
    try:
        return find()
    except (UserError, PackError):
        return None


def _settings(folders: Sequence[Path]) -> dict[str, str]:
    """What was set, by name; where folders differ, each value with the models that it was for."""
    by_models = {
        ", ".join(model["name"] for model in stored["identity"]["models"]): _set(stored)
        for folder in folders
        if (stored := stored_spec(folder))
    }
    found = {"gyges": __version__}
    for name in dict.fromkeys(name for settings in by_models.values() for name in settings):
        values = {models: settings.get(name, "default") for models, settings in by_models.items()}
        if name.startswith(("model ", "scenario ")):
            found[name] = next(settings[name] for settings in by_models.values() if name in settings)
        elif len(set(values.values())) == 1:
            found[name] = next(iter(values.values()))
        else:
            found[name] = "; ".join(f"{value} ({models})" for models, value in values.items())
    return found


def _set(stored: dict) -> dict[str, str]:
    """The settings of one folder."""
    identity = stored["identity"]
    settings = {
        f"model {model['name']}": ", ".join(f"{k}={v}" for k, v in model["args"].items()) or "no arguments"
        for model in identity["models"]
    }
    settings |= {f"scenario {name}": f"text digest {digest}" for name, digest in identity.get("packs", {}).items()}
    settings |= {k: str(identity[k]) for k in ("grader", "temperature", "max_tokens") if identity.get(k) is not None}
    settings["samples for each cell"] = str(stored.get("samples", ""))
    if stored.get("precision"):
        settings["stopping"] = f"a cell stops when its interval is at most {stored['precision']} wide"
    return settings
