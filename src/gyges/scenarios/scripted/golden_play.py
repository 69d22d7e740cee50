"""Playing the golden transcripts: from `judging/golden/NAME.yaml` to the records that judges read.

python -m gyges.scenarios.scripted.golden_play        # what `make golden` runs
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from gyges.errors import PackError
from gyges.judging.golden import Golden, GoldenLabel
from gyges.scenarios.pack.load import read_yaml
from gyges.scenarios.pack.play import play


def golden_folder() -> Path:
    """Where the golden transcripts lie."""
    return Path(str(files("gyges.judging.golden")))


def played() -> Iterator[Golden]:
    """All golden transcripts, played.

    Raises:
        PackError: an entry is wrong; names file and entry.
    """
    for path in sorted(golden_folder().glob("*.yaml")):
        for entry in read_yaml(path):
            levels = {k: str(v) for k, v in entry["factors"].items()} | {"interface": entry["interface"]}
            try:
                label = GoldenLabel.model_validate(entry["label"])
                skin, stop = str(entry["skin"]), entry.get("stop", "stop")
                record = play(path.stem, levels, skin, entry["turns"], stop, str(path))
            except (ValueError, KeyError, TypeError) as error:
                raise PackError(f"{path}: {entry.get('id', '?')}", str(error)) from None
            yield Golden(id=entry["id"], scenario=path.stem, hard=entry.get("hard"), record=record, label=label)


def write_records() -> int:
    """Write `records.jsonl` and return how many transcripts it holds."""
    lines = [golden.model_dump_json(exclude_defaults=True, by_alias=True) for golden in played()]
    (golden_folder() / "records.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


if __name__ == "__main__":
    print(f"{write_records()} golden transcripts written")
