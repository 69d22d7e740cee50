"""How long the report takes over 20,000 synthetic verdicts, in seconds by the clock and of processor, and its size.

python benchmarks/report.py
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gyges.analysis.cells import estimates_json
from gyges.pages.test.test_page import choose_transcripts, render_page
from synthetic import grid, study_of


def main() -> None:
    """Print the seconds of each part; a slow core of 2020 should stay far under ten in all."""
    levels = [{"nudge": n, "exits": e} for n in ("off", "on") for e in ("none", "ally", "ethics_channel")]
    rows = grid(12, 5, skins=14, repeats=1, extra=levels)
    print(f"{len(rows):,} verdicts: 12 models, 5 scenarios, 2 interfaces, {len(levels)} conditions, controls, 14 skins")
    timed("choose transcripts", lambda: choose_transcripts(rows))
    timed("estimates.json", lambda: estimates_json(rows))
    study = study_of(rows, scenarios=5)
    page = timed("whole page", lambda: render_page(study))
    print(f"page: {len(page.encode()) / 1e6:.2f} MB")


def timed(name, work):
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    print(f"{name}: {time.perf_counter() - clock:.2f} s, {time.process_time() - processor:.2f} s of processor")
    return result


if __name__ == "__main__":
    main()
