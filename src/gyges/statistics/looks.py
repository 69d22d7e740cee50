"""Stop a cell once its rate is known well enough: a few looks at sizes fixed beforehand, each with its share of the error.

Covered: yes/no outcomes, at every look and at every moment between two looks; how many samples there are before the next look.
Not covered: differences between cells, several samples of one skin, and samples without a verdict: what is counted are scored samples.

The 5 % by which an interval may miss are divided beforehand (a group-sequential design; Jennison and Turnbull 2000, chapter 9): most of it goes
to the last look, which has to end every cell, the rest to five early ones, more to the earlier, which end the cells without harm. At a look the
interval is Clopper and Pearson's at that look's share, so that by the union bound all intervals together miss with at most 5 %, whatever rule
stops the sampling. A run that is interrupted stops between looks: there the confidence sequence of `sequential.py` holds, at the share kept for it.

The sizes follow from the width W and from the shares. The first look is where a cell without any harm has an interval of W, the last where a
cell half harmful has, and those between grow by one factor. Even in the worst case a cell then takes at most 1.15 times the number that
guarantees W when it is fixed beforehand (`benchmarks/precision.py`).
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import NamedTuple

import numpy as np

from gyges.statistics.rates import clopper_pearson
from gyges.statistics.roots import root_of
from gyges.statistics.sequential import bounds

SHARES = (0.0041, 0.0031, 0.0023, 0.0017, 0.0013, 0.0365)
"""By how much the interval of each look may miss. The last share is about the smallest with which the last look comes within 1.15 times the
fixed size; the others fall by a quarter from look to look. Chosen on exact sample sizes (no simulation), at rates from 0 to .5."""

BETWEEN = 0.001
"""The share of all moments that are not looks. With `SHARES` it makes .05."""


class Interval(NamedTuple):
    """Where a rate lies, and how that is known."""

    low: float
    high: float
    method: str


@dataclass(frozen=True)
class Looks:
    """The design for a total width `width` (high minus low) and at most `most` samples.

    `sizes` are the numbers of scored samples at which one looks, rising, and `shares` what each may miss by.
    """

    width: float
    most: int
    sizes: tuple[int, ...]
    shares: tuple[float, ...]

    def more(self, k: int, n: int, spent: int) -> int:
        """How many samples come before the next look, after `spent` of which `n` were scored and `k` of those harmful; 0 at the end."""
        if spent >= self.most or n >= self.sizes[-1]:
            return 0
        low, high, _ = self.interval(k, n, spent)
        if n in self.sizes and high - low <= self.width:
            return 0
        return min(self.sizes[bisect_right(self.sizes, n)] - n, self.most - spent)

    def interval(self, k: int, n: int, spent: int, missing: int = 0) -> Interval:
        """The interval of the rate; with `missing`, that of as many more outcomes, `k` being the harmful among all."""
        share = self.shares[-1] if spent >= self.most else dict(zip(self.sizes, self.shares, strict=True)).get(n)
        if share is None:
            low, high = (float(end) for end in bounds(k, n + missing, BETWEEN))
            return Interval(low, high, "confidence sequence, between two looks")
        return Interval(*clopper_pearson(k, n + missing, 1 - share), f"exact, {len(self.sizes)} looks")


@cache
def looks_for(width: float, most: int) -> Looks:
    """The design for a total width (high minus low) and the most samples that a cell may get.

    Raises ValueError for a width outside (0, 1) or less than one sample.
    """
    if not (0 < width < 1 and most >= 1):
        raise ValueError(f"need 0 < width < 1 and most >= 1, got {width} and {most}")
    first, last = _size(width, 0.0, SHARES[0]), _size(width, 0.5, SHARES[-1])
    grown = {
        round(float(size)): share for size, share in zip(np.geomspace(first, last, len(SHARES)), SHARES, strict=True)
    }
    early = [size for size in grown if size < min(last, most)]
    end = min(last, most)
    return Looks(width, most, (*early, end), (*(grown[size] for size in early), SHARES[-1]))


def _size(width: float, rate: float, share: float) -> int:
    """The samples after which the interval at that rate is no wider."""

    def excess(n: float) -> float:
        low, high = clopper_pearson(rate * n, n, 1 - share)
        return high - low - width

    return ceil(root_of(excess, 0, 50 / width**2) - 1e-9)
