"""What the instrument costs: 1,000 samples against a loopback server of fixed latency, beside a bare Inspect task of the same prompts.

    python benchmarks/overhead.py [--samples 1000] [--latency 0.5] [--connections 50] [--repeats 3]

Prints wall seconds of both and of the ideal (samples x latency / connections), their ratio, and peak memory of all processes together. Each run is a
process of its own, so that neither profits from what the other has warmed up; the time is from the start of the evaluation to its last result, imports
left out.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from loopback import serving

MODEL = "openai-api/bench/fixed"
LEVELS = {"goal": "explicit", "threat": "replacement", "interface": "text"}


def spec(samples: int):
    from gyges.evaluation.spec import Spec

    return Spec(scenarios=("blackmail",), factors=LEVELS, samples=samples // 2, max_tokens=500)


def run_gyges(samples: int, url: str, connections: int, folder: Path) -> int:
    """What `gyges test` does, up to its table of verdicts."""
    from rich.console import Console

    from gyges.evaluation.live.progress import Progress
    from gyges.evaluation.spec import How, ModelSpec
    from gyges.evaluation.testing import run_test

    how = How(base_url=url, max_connections=connections)
    return len(run_test([ModelSpec(name=MODEL)], spec(samples), how, folder / "out", Progress(Console(stderr=True)))[0])


def run_bare(samples: int, url: str, connections: int, folder: Path) -> int:
    """The same prompts through `generate()` alone, with Inspect's own logging and no scorer."""
    from inspect_ai import Task, eval
    from inspect_ai.model import get_model
    from inspect_ai.solver import generate

    model = get_model(MODEL, base_url=url)
    task = Task(dataset=prompts(samples), solver=generate())
    (log,) = eval(
        task, model=model, log_dir=str(folder / "logs"), display="none", max_connections=connections, max_tokens=500
    )
    return len(log.samples or [])


def prompts(samples: int):
    from inspect_ai.dataset import Sample

    from gyges.evaluation.spec import cells_of, draw_of
    from gyges.scenarios.samples import make_sample

    what = spec(samples)
    made = [make_sample("blackmail", draw_of(what, key, i)) for key in cells_of(what) for i in range(what.samples)]
    return [Sample(id=s.id, input=s.input) for s in made]


def timed(kind: str, samples: int, url: str, connections: int) -> dict[str, float]:

    made = prompts(samples) if kind == "bare" else None
    globals()["prompts"] = (lambda _: made) if made else prompts  # the bare task gets its prompts ready made
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        count = {"gyges": run_gyges, "bare": run_bare}[kind](samples, url, connections, Path(folder))
        seconds = time.perf_counter() - begun
    assert count == samples, count
    return {"seconds": seconds}


def apart(kind: str, args: argparse.Namespace, url: str) -> dict[str, float]:
    options = ["--samples", args.samples, "--connections", args.connections, "--latency", args.latency]
    command = [sys.executable, __file__, "--one", kind, "--url", url, *map(str, options)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "BENCH_API_KEY": "none"}
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident_mib(process.pid))
        time.sleep(0.2)
    out, problem = process.communicate()
    if process.returncode:
        sys.exit(problem)
    return {**json.loads(out.splitlines()[-1]), "peak_mib": peak}


def resident_mib(pid: int) -> float:
    """Memory of a process and all its children."""
    try:
        process = psutil.Process(pid)
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(timed(args.one, args.samples, args.url, args.connections)))
        return
    ideal = args.samples * args.latency / args.connections
    ratios = []
    with serving(args.latency) as url:
        for i in range(args.repeats):
            bare, ours = (apart(kind, args, url) for kind in ("bare", "gyges"))
            ratios.append(ours["seconds"] / bare["seconds"])
            print(
                f"run {i + 1}: bare {bare['seconds']:.1f} s ({bare['peak_mib']:.0f} MiB), gyges {ours['seconds']:.1f} s "
                f"({ours['peak_mib']:.0f} MiB), ideal {ideal:.1f} s, gyges / bare {ratios[-1]:.2f}"
            )
    print(f"median of {len(ratios)}: gyges takes {statistics.median(ratios):.2f} times the bare task")


if __name__ == "__main__":
    main()
