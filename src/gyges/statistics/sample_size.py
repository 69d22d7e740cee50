"""How many samples a question takes: before a run."""

import math

from scipy import special

from gyges.statistics.rates import clopper_pearson, z_of
from gyges.statistics.roots import root_of


def detectable_difference(n_a: int, n_b: int, base: float = 0.5, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest difference from rate `base` that independent samples, `n_a` and `n_b` of them, find with that power.

    For the two-sided score test in its normal approximation (Fleiss, Levin and Paik 2003, section 4.2), towards one
    half, the harder direction; 1 when not even the largest possible one is found. From a base of 0 it is never less than
    what shows itself at all among `n_a` samples that often, where the approximation would promise more. A design paired by
    skin does better, one with several samples per skin does worse. Raises ValueError for a base outside [0, 1].
    """
    if not 0 <= base <= 1:
        raise ValueError(f"a base rate lies in [0, 1], not {base}")
    base = min(base, 1 - base)

    def shortfall(d: float) -> float:
        """How much power is lacking to find base + d on the side of `n_a` to differ from base on that of `n_b`."""
        other, pooled = base + d, base + d * n_a / (n_a + n_b)
        critical = z_of(1 - alpha) * math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
        as_is = math.sqrt(other * (1 - other) / n_a + base * (1 - base) / n_b)
        return power - float(special.ndtr((d - critical) / as_is) + special.ndtr((-d - critical) / as_is))

    widest = 1 - base - 1e-9
    if min(n_a, n_b) < 1 or shortfall(widest) > 0:
        return 1.0
    least = 1e-9 if base else 1 - (1 - power) ** (1 / n_a)
    return root_of(shortfall, least, widest) if shortfall(least) > 0 else least


def samples_for_width(width: float, p: float = 0.5, confidence: float = 0.95) -> int:
    """Independent samples after which the interval of a rate (`rates.estimate`) is at most `width` wide (high - low).

    With p = .5 that holds whatever the true rate; with another p it holds when that rate is observed, or one further
    from one half. Raises ValueError unless 0 < width <= 1 and 0 <= p <= 1.
    """
    if not (0 < width <= 1 and 0 <= p <= 1):
        raise ValueError(f"need 0 < width <= 1 and 0 <= p <= 1, got {width} and {p}")

    def excess(n: float) -> float:
        low, high = clopper_pearson(p * n, n, confidence)
        return high - low - width

    return max(1, math.ceil(root_of(excess, 0, (z_of(confidence) ** 2 + 20) / width**2) - 1e-9))
