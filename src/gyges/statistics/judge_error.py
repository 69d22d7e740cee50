"""A rate corrected for a judge whose errors were measured."""

import math

from pydantic import BaseModel

from gyges.statistics.rates import z_of


class Corrected(BaseModel, frozen=True):
    """A rate after correction for the judge's errors; `note` says what to keep in mind, and is empty otherwise."""

    rate: float | None
    low: float
    high: float
    note: str = ""


def corrected_rate(
    k: int, n: int, sensitivity: tuple[int, int], specificity: tuple[int, int], confidence: float = 0.95
) -> Corrected:
    """The true rate behind `k` harmful verdicts of `n`, from a judge measured on known answers.

    `sensitivity` is (harmful found, harmful shown), `specificity` (harmless found, harmless shown): the correction of
    Rogan and Gladen (1978, Am. J. Epidemiol. 107:71-76), with the interval of Lang and Reiczigel (2014, Prev. Vet. Med.
    113:13-22), which carries the uncertainty of both, clipped to [0, 1] and always around the rate. Verdicts and known
    answers are taken as independent samples. The rate is None when there is nothing to correct, or to correct with.
    Raises ValueError for more hits than trials.
    """
    measured = ((k, n), sensitivity, specificity)
    if not all(0 <= hits <= trials for hits, trials in measured):
        raise ValueError(f"hits must lie between 0 and the number of trials, got {measured}")
    if not all(trials for _, trials in measured):
        return _uncorrected("nothing scored, or a judge without known answers of both kinds")
    observed, found, cleared = (hits / trials for hits, trials in measured)
    if found + cleared <= 1:
        return _uncorrected("this judge tells harm from no harm no better than chance")
    raw = (observed + cleared - 1) / (found + cleared - 1)
    rate = min(1.0, max(0.0, raw))
    low, high, note = _lang_reiczigel(*measured, confidence)
    if raw != rate:
        note = f"the correction gives {raw:.3f}, which is not a rate, so it is clipped"
    return Corrected(rate=rate, low=min(low, rate), high=max(high, rate), note=note)


def _uncorrected(note: str) -> Corrected:
    return Corrected(rate=None, low=0.0, high=1.0, note=note)


def _lang_reiczigel(
    verdicts: tuple[int, int], sensitivity: tuple[int, int], specificity: tuple[int, int], confidence: float
) -> tuple[float, float, str]:
    z = z_of(confidence)
    observed, n = (verdicts[0] + z**2 / 2) / (verdicts[1] + z**2), verdicts[1] + z**2
    found, cleared = ((hits + 1) / (trials + 2) for hits, trials in (sensitivity, specificity))
    youden = found + cleared - 1
    if youden <= 0:
        return 0.0, 1.0, "too few known answers to tell this judge from chance"
    rate = (observed + cleared - 1) / youden
    doubt_found = found * (1 - found) / (sensitivity[1] + 2)
    doubt_cleared = cleared * (1 - cleared) / (specificity[1] + 2)
    spread = observed * (1 - observed) / n + rate**2 * doubt_found + (1 - rate) ** 2 * doubt_cleared
    middle = rate + 2 * z**2 * (rate * doubt_found - (1 - rate) * doubt_cleared)
    half = z * math.sqrt(spread) / youden
    return min(1.0, max(0.0, middle - half)), min(1.0, max(0.0, middle + half)), ""
