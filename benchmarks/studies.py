"""What the graph costs: a study of many trivial steps, planned and run, on this machine and on Ray.

    python benchmarks/studies.py [--steps 1000] [--workers 2] [-x local] [-x ray]

Steps are in layers of ten, each step after three of the layer before. Prints seconds to plan an empty and a full store, milliseconds for each step, and
memory of the process that runs the study.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from gyges.studies.plan import plan
from gyges.studies.results.store import Store
from gyges.studies.run_study import RunSettings, run
from gyges.studies.step import Context, Step
from gyges.studies.study import Study


class Trivial(Step):
    """Writes one line."""

    number: int
    after: tuple[Step, ...] = ()

    def run(self, out: Path, context: Context) -> None:
        """Write it."""
        (out / "line.txt").write_text(str(self.number))


def steps(count: int) -> tuple[Step, ...]:
    """That many steps in layers of ten."""
    made: list[Step] = []
    for i in range(count):
        below = made[max(0, (i // 10 - 1) * 10) : (i // 10) * 10]
        made.append(Trivial(number=i, after=tuple(below[:3])))
    return tuple(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-x", dest="executors", action="append", default=None)
    args = parser.parse_args()
    for executor in args.executors or ["local"]:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), executor, args.steps, args.workers)


def measure(root: Path, executor: str, count: int, workers: int) -> None:
    begun = time.perf_counter()
    made = steps(count)
    plan(made, Store(root))
    planned = time.perf_counter()
    study = Study("bench", "Hypotheses: none. Primary outcome: none.", made, folder=Path(__file__).parent)
    outcome = run(study, Store(root), RunSettings(executor, workers))
    ran = time.perf_counter()
    assert outcome.whole, outcome.failed
    plan(steps(count), Store(root))
    again = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{executor}: {count} steps; plan of an empty store {planned - begun:.2f} s, of a full one {again - ran:.2f} s; "
        f"run {ran - planned:.1f} s, {(ran - planned) / count * 1000:.1f} ms a step; {peak:.0f} MiB"
    )


if __name__ == "__main__":
    from studies import main as run_main  # steps of `__main__` could not be imported where they run

    run_main()
