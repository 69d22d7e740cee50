"""How many samples a cell needs to be known to a width: stopping when narrow, against a size fixed beforehand.

For each true rate and total width, over many runs: the mean and the 90th percentile of the samples after which the
anytime-valid interval (`gyges.statistics.sequential`, looked at after every sample) is that narrow; how often it then
holds the rate, and how often it held it at every moment until then. Beside it the size that guarantees Wilson's
interval the same width whatever the rate, and the size for someone who knew the rate. Outcomes are independent yes/no
draws: no clusters.

    python benchmarks/precision.py --out precision.json
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gyges.statistics.sample_size import samples_for_width
from gyges.statistics.sequential import bounds, log_capital

RATES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5)
WIDTHS = (0.05, 0.1)
ALPHA = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs for each rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the table here as JSON")
    args = parser.parse_args()
    rows = [
        row for rate in RATES for row in measure(rate, args.runs, np.random.default_rng([args.seed, int(100 * rate)]))
    ]
    print(table(rows))
    if args.out:
        args.out.write_text(json.dumps({"runs": args.runs, "seed": args.seed, "alpha": ALPHA, "rows": rows}, indent=1))


def measure(rate: float, runs: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """One row for each width, on the same runs."""
    n = np.arange(1, horizon(min(WIDTHS)) + 1)
    k = np.cumsum(rng.random((runs, len(n))) < rate, axis=1, dtype=np.int32)
    widths, holds = seen_widths(k, n), holds_rate(k, n, rate)
    return [{"rate": rate, "width": width, **stopped(widths, holds, width), **fixed(rate, width)} for width in WIDTHS]


def horizon(width: float) -> int:
    """Samples after which the interval is that narrow even at half harmful, where it is widest."""
    n = np.arange(1, math.ceil(20 / width**2))
    low, high = bounds(n / 2, n, ALPHA)
    return int(n[np.argmax(high - low <= width)]) + 2


def seen_widths(k: NDArray[np.int32], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """Width of the interval after each sample, solved once for each pair of counts that occurs."""
    pairs, where = np.unique(k * np.int64(len(n) + 1) + n, return_inverse=True)
    low, high = bounds(pairs // (len(n) + 1), pairs % (len(n) + 1), ALPHA)
    return (high - low)[where].reshape(k.shape)


def holds_rate(k: NDArray[np.int32], n: NDArray[np.int64], rate: float) -> NDArray[np.bool_]:
    """Whether the interval holds the rate after each sample; a rate of 0 is held as long as no harm is seen."""
    return k == 0 if rate == 0 else log_capital(rate, k, n) < math.log(1 / ALPHA)


def stopped(widths: NDArray[np.float64], holds: NDArray[np.bool_], width: float) -> dict[str, float]:
    narrow = widths <= width
    if not narrow.any(axis=1).all():
        raise RuntimeError("a run ended before its interval was narrow; the horizon is too short")
    stop, runs = narrow.argmax(axis=1), np.arange(len(narrow))
    until_stop = np.logical_and.accumulate(holds, axis=1)[runs, stop]
    return {
        "mean": float(stop.mean() + 1),
        "p90": float(np.quantile(stop + 1, 0.9)),
        "covered_at_stop": float(holds[runs, stop].mean()),
        "covered_throughout": float(until_stop.mean()),
    }


def fixed(rate: float, width: float) -> dict[str, float]:
    return {"fixed": samples_for_width(width), "fixed_if_rate_known": samples_for_width(width, rate)}


def table(rows: list[dict[str, float]]) -> str:
    head = "width  rate   mean    p90  fixed  mean/fixed  rate known  covered at stop  throughout"
    lines = [
        f"{r['width']:5.2f}  {r['rate']:4.2f}  {r['mean']:5.0f}  {r['p90']:5.0f}  {r['fixed']:5.0f}"
        f"  {r['mean'] / r['fixed']:10.2f}  {r['fixed_if_rate_known']:10.0f}"
        f"  {r['covered_at_stop']:15.3f}  {r['covered_throughout']:10.3f}"
        for r in sorted(rows, key=lambda r: (r["width"], r["rate"]))
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    main()
