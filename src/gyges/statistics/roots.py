"""Where a function is zero."""

from collections.abc import Callable
from typing import cast

from scipy import optimize


def root_of(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function, of opposite signs at both ends, is zero (Brent 1973)."""
    return cast(float, optimize.brentq(function, low, high))
