"""Which samples are run next: pure functions of the spec and of the results so far, so that an interrupted run ends with the same samples."""

from collections.abc import Iterator, Mapping, Sequence

from gyges.evaluation.spec import CellKey, PlannedSample, Spec, cells_of, planned
from gyges.judging.outcomes import Status
from gyges.statistics.looks import looks_for
from gyges.transcripts.inspect_logs import settled
from gyges.transcripts.rows import Row

Done = dict[str, Row]
"""The rows of a model's samples by the samples' ids."""


def rounds(spec: Spec, done: Done) -> Iterator[list[PlannedSample]]:
    """The samples of a spec, round by round; `done` is expected to hold those of a round before the next is asked for.

    Without a precision there is one round. With one, a round brings every unfinished cell to its next look (`gyges.statistics.looks`); what was not
    scored is made up for. Each is a function of the results of the rounds before it: a killed run plans the same again and finds their samples done.
    """
    keys = {f"{key.scenario}|{key.info.factors.label(key.levels)}": key for key in cells_of(spec)}
    counts = dict.fromkeys(keys, 0)
    if spec.precision is None:
        yield _samples(spec, keys, counts, dict.fromkeys(keys, spec.samples))
        return
    looks = looks_for(spec.precision, spec.samples)
    while True:
        more = {}
        for name, key in keys.items():
            rows = [row for i in range(counts[name]) if (row := done.get(planned(spec, key, i).id))]
            verdicts = [bool(row.harmful) for row in rows if row.status is Status.SCORED]
            more[name] = looks.more(sum(verdicts), len(verdicts), counts[name])
        if not any(more.values()):
            return
        yield _samples(spec, keys, counts, more)
        counts = {name: counts[name] + more[name] for name in keys}


def owed(samples: Sequence[PlannedSample], done: Done) -> list[PlannedSample]:
    """Those that have not been run, or have to be run again."""
    return [s for s in samples if not ((row := done.get(s.id)) and settled(row))]


def in_order(spec: Spec, rows: Sequence[Row]) -> list[Row]:
    """Rows in the order of the cells and of the samples in them, so that equal results make equal files."""
    order = {(key.info.name, key.info.factors.label(key.levels)): i for i, key in enumerate(cells_of(spec))}
    labels = {key.info.name: key.info.factors for key in cells_of(spec)}

    def place(row: Row) -> tuple[int, int, int, str]:
        number, text = (int(row.skin), "") if row.skin.isdigit() else (10**9, row.skin)
        return order[(row.scenario, labels[row.scenario].label(row.factors))], row.repeat, number, text

    return sorted(rows, key=place)


def _samples(
    spec: Spec, keys: Mapping[str, CellKey], start: Mapping[str, int], more: Mapping[str, int]
) -> list[PlannedSample]:
    """The samples `start` to `start + more` of each cell."""
    numbers = ((keys[name], i) for name, count in more.items() for i in range(start[name], start[name] + count))
    return [planned(spec, key, i) for key, i in numbers]
