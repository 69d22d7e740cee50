"""A study for the tests.

Hypotheses: two counters arrive where they should, whatever happens in between.
Primary outcome: the joined numbers.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from toys import Count, Fail, Join, Write

from gyges.studies.study import Study


def study(seeds: tuple[int, ...] = (0,), until: str = "20", fail: str = "", arms: str = "all") -> Study:
    texts = tuple(Write(text=f"seed {seed}", seed=seed) for seed in seeds)
    counted = (Count(until=int(until)), Count(until=int(until) + 1), Join(parts=texts))
    return Study("counting", __doc__ or "", (*counted, *((Fail(),) if fail else ())))
