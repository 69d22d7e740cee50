"""How the store and the counting behave when there is a lot: a store of many records, and tables of many transcripts.

    python benchmarks/scale.py [--records 1000 10000 100000] [--rows 100000 1000000 100000000]

Records are written as a run would leave them, in chains of ten steps. Prints seconds to plan them all, to list the store and to find one key; then seconds and
memory to count that many rows of verdicts by model, scenario, cell and status, in batches over the columns that this needs. More than a million rows are
several files, one written and linked: all of them are read.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as arrow

from gyges.studies.plan import plan
from gyges.studies.results.store import Store
from gyges.studies.step import Step

IN_A_FILE = 1_000_000


class Link(Step):
    """A link of a chain."""

    number: int
    before: Step | None = None


def chains(count: int, length: int = 10) -> list[Step]:
    """Steps in chains of ten."""
    made: list[Step] = []
    for i in range(count):
        made.append(Link(number=i, before=made[-1] if i % length else None))
    return made


def store_times(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, steps = Store(Path(folder)), chains(count)
        begun = time.perf_counter()
        for step in steps:
            store.path(step).mkdir(parents=True)
            store.finish(step, {"source": "", "packages": {}}, 1.0)
        wrote = time.perf_counter()
        assert len(plan(chains(count), store).steps) == count
        planned = time.perf_counter()
        assert sum(1 for _ in store.records()) == count
        listed = time.perf_counter()
        store.find(steps[count // 2].key)
        found = time.perf_counter()
        print(
            f"{count:,} records: written {wrote - begun:.1f} s, planned {planned - wrote:.1f} s, listed {listed - planned:.1f} s, "
            f"one found by its key {found - listed:.2f} s, {peak_mib():.0f} MiB",
            flush=True,
        )


def table_times(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verdicts-0.parquet"
        files = max(1, rows // IN_A_FILE)
        frame(rows // files).to_parquet(path, index=False, row_group_size=100_000)
        for i in range(1, files):
            os.link(path, path.with_name(f"verdicts-{i}.parquet"))
        begun = time.perf_counter()
        by = ["model", "scenario", "condition", "status"]
        counts: dict[tuple, int] = {}
        for batch in arrow.dataset(folder).to_batches(columns=[*by, "harmful"], batch_size=100_000):
            part = batch.to_pandas().groupby([*by, "harmful"], dropna=False).size()
            for key, n in part.items():
                counts[key] = counts.get(key, 0) + int(n)  # type: ignore[index]
        counted = time.perf_counter()
        assert sum(counts.values()) == rows
        size = files * path.stat().st_size / 2**20
        print(
            f"{rows:,} rows ({size:.0f} MiB): counted in batches in {counted - begun:.1f} s, {peak_mib():.0f} MiB",
            flush=True,
        )


def frame(rows: int) -> pd.DataFrame:
    """Rows of the shape of verdicts."""
    rng = np.random.default_rng(0)
    pick = lambda values: np.array(values)[rng.integers(0, len(values), rows)]  # noqa: E731
    return pd.DataFrame(
        {
            "model": pick([f"m{i}" for i in range(20)]), "scenario": pick([f"s{i}" for i in range(10)]),
            "condition": pick([f"goal={i}" for i in range(12)]), "status": pick(["scored", "scored", "unscored", "error"]),
            "harmful": pick([True, False, None]), "sample_id": [f"s/{i}" for i in range(rows)],
            "evidence": pick(["[]", '[{"source": "message", "quote": "' + "word " * 30 + '"}]']),
        }
    )  # fmt: skip


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 100_000_000])
    args = parser.parse_args()
    for count in args.records:
        store_times(count)
    for rows in args.rows:
        table_times(rows)


if __name__ == "__main__":
    main()
