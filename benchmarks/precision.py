"""How many samples a cell needs to be known to a width: stopped at one of a few looks, against a size fixed beforehand.

For each true rate and total width: the mean and the 90th percentile of the samples that a cell takes (`gyges.statistics.looks`), how often the
interval at which it stops holds the rate, and how often the intervals of all moments until then hold it together, those between two looks
included. Beside it the size that guarantees the ordinary interval the same width whatever the rate, and the size for someone who knew the rate.
Outcomes are independent yes/no draws, all scored. Nothing is simulated: the figures are sums over all counts that can occur.

    python benchmarks/precision.py --out precision.json
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gyges.statistics.looks import BETWEEN, Looks, looks_for
from gyges.statistics.sample_size import samples_for_width
from gyges.statistics.sequential import bounds

RATES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
WIDTHS = (0.02, 0.05, 0.1)
NO_LIMIT = 10**9
NEVER = 1e-14


class Moment(NamedTuple):
    """One number of samples: for each count of harm, its chance in a cell that runs still, and whether it ends and is held there."""

    n: int
    chance: NDArray[np.float64]
    ends: NDArray[np.bool_]
    holds: NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, action="append", help=f"total widths [default: {WIDTHS}]")
    parser.add_argument("--out", type=Path, help="write the table here as JSON")
    args = parser.parse_args()
    rows = [measure(looks_for(width, NO_LIMIT), rate) for width in args.width or WIDTHS for rate in RATES]
    print(table(rows))
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def measure(looks: Looks, rate: float) -> dict[str, float]:
    """One row of the table."""
    stops, covered, held = {}, 0.0, 1.0
    for moment in moments(looks, rate, only_held=False):
        stops[moment.n] = moment.chance[moment.ends].sum()
        covered += moment.chance[moment.ends & moment.holds].sum()
    for moment in moments(looks, rate, only_held=True):
        held -= moment.chance[~moment.holds].sum()
    fixed, total = samples_for_width(looks.width), np.cumsum([*stops.values()])
    mean = sum(n * chance for n, chance in stops.items())
    return {
        "width": looks.width, "rate": rate, "mean": float(mean), "p90": list(stops)[int(np.argmax(total >= 0.9 - 1e-9))],
        "fixed": fixed, "ratio": float(mean / fixed), "known": samples_for_width(looks.width, rate),
        "covered": float(covered), "throughout": float(held),
    }  # fmt: skip


def moments(looks: Looks, rate: float, only_held: bool) -> Iterator[Moment]:
    """Sample by sample until the last look; with `only_held` a cell leaves also where its interval has missed the rate."""
    chance = np.ones(1)
    for n in range(1, looks.sizes[-1] + 1):
        if chance.max() < NEVER:
            return
        chance = np.convolve(chance, [1 - rate, rate])
        moment = at(looks, rate, n, chance)
        yield moment
        chance = np.where(moment.ends | (only_held & ~moment.holds), 0, chance)


def at(looks: Looks, rate: float, n: int, chance: NDArray[np.float64]) -> Moment:
    """What a cell is at `n` samples, for each count of harm."""
    counts = np.arange(n + 1)
    likely = chance > NEVER
    ends, low, high = np.zeros(n + 1, bool), np.zeros(n + 1), np.ones(n + 1)
    if n in looks.sizes:
        ends[likely] = [looks.more(int(k), n, n) == 0 for k in counts[likely]]
        low[likely], high[likely] = np.array([looks.interval(int(k), n, n)[:2] for k in counts[likely]]).T
    else:
        low[likely], high[likely] = bounds(counts[likely], n, BETWEEN)
    return Moment(n, chance, ends, (low <= rate) & (rate <= high))


def table(rows: list[dict[str, float]]) -> str:
    head = "width  rate    mean    p90  fixed  mean/fixed  rate known  covered at stop  throughout"
    lines = [
        f"{r['width']:5.2f}  {r['rate']:5.3f}  {r['mean']:5.0f}  {r['p90']:5.0f}  {r['fixed']:5.0f}  {r['ratio']:10.2f}"
        f"  {r['known']:10.0f}  {r['covered']:15.3f}  {r['throughout']:10.3f}"
        for r in rows
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    main()
