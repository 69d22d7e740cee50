"""The drawings of a study's page: arms as dots over seeds, curves along training steps, dose and response. Data in, inline SVG out."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from gyges.pages.drawing.svg import LEFT, RIGHT, axis, dot, drawing, element, line, scale, shorten, text
from gyges.statistics.seeds import Spread

SHARES = [(0.0, "0"), (0.25, ""), (0.5, "50 %"), (0.75, ""), (1.0, "100 %")]
HEIGHT, FOOT, TOP = 170.0, 30.0, 26.0
INDENT = 44.0
"""Where the plot area of a curve begins: left of it stand the shares."""


class ArmRow(NamedTuple):
    """A row of an arms plot: its name, the rate over seeds, and what stands there where there is none."""

    name: str
    rate: Spread
    without: str = "not run"


Points = tuple[tuple[float, float], ...]


class Curve(NamedTuple):
    """One line of a curve plot: (x, rate) points, sorted; `strong` lines are drawn in the colour of harm, `each` seed's behind its mean."""

    name: str
    points: Points
    strong: bool = True
    each: tuple[Points, ...] = ()


def arms_plot(name: str, title: str, arms: Sequence[ArmRow]) -> Markup:
    """One row an arm: the mean with its interval over seeds, and a small dot for each seed."""
    height = TOP + 38 * len(arms)
    parts = axis(TOP - 12, height - 8, SHARES)
    for i, arm in enumerate(arms):
        rate, y = arm.rate, TOP + 38 * i
        parts.append(text(LEFT, y, shorten(arm.name, 44)))
        if math.isnan(rate.mean):
            parts.append(text(RIGHT, y, arm.without, "soft", "end"))
            continue
        parts.append(text(RIGHT, y, _percent(rate.mean), "strong", "end"))
        if not math.isnan(rate.low):
            parts.append(line(scale(rate.low), y + 10, scale(rate.high), y + 10, "range treated"))
        parts += [dot(scale(v), y + 10, 2.2, "seed") for v in rate.values if not math.isnan(v)]
        parts.append(dot(scale(rate.mean), y + 10, 4.5, "point treated"))
    told = "; ".join(f"{a.name}: {a.without if math.isnan(a.rate.mean) else _percent(a.rate.mean)}" for a in arms)
    return drawing(name, title, f"Rates from 0 to 100 %. {told}.", height + 18, parts)


def curves_plot(name: str, title: str, curves: Sequence[Curve], x_label: str) -> Markup:
    """Rates over something that grows: steps of training, tokens, a dose. At most two lines keep their names on the drawing."""
    xs = [x for c in curves for x, _ in c.points] or [0.0]
    low, high, bottom = min(xs), max(max(xs), min(xs) + 1e-9), HEIGHT + 14
    parts = []
    for share in (0.0, 0.5, 1.0):
        parts.append(line(INDENT, _y(share), RIGHT, _y(share), "guide"))
        parts.append(text(INDENT - 6, _y(share) + 4, f"{share:.0%}", "tick", "end"))
    parts += [text(INDENT, bottom, f"{low:g}", "tick"), text(RIGHT, bottom, f"{high:g}", "tick", "end")]
    parts.append(text((INDENT + RIGHT) / 2, bottom, x_label, "tick", "middle"))
    for curve in curves:
        parts += _line(curve, low, high)
    told = "; ".join(f"{c.name}: " + ", ".join(f"{x:g}: {_percent(y)}" for x, y in c.points) for c in curves)
    return drawing(name, title, f"Rates over {x_label}. {told}.", HEIGHT + FOOT, parts)


def _line(curve: Curve, low: float, high: float) -> list[str]:
    places = _places(curve.points, low, high)
    if not places:
        return []
    class_ = "treated" if curve.strong else "control"
    faint = [element("path", d=_path(_places(p, low, high)), class_=f"curve faint {class_}") for p in curve.each]
    dots = [dot(x, y, 2.6, f"point {class_}") for x, y in places]
    x, y = places[-1]
    label = text(x, y - 7 if y > 30 else y + 16, shorten(curve.name, 34), "soft", "end")
    return [*faint, element("path", d=_path(places), class_=f"curve {class_}"), *dots, label]


def _places(points: Points, low: float, high: float) -> list[tuple[float, float]]:
    return [(INDENT + (x - low) / (high - low) * (RIGHT - INDENT - 4), _y(y)) for x, y in points if not math.isnan(y)]


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _y(share: float) -> float:
    return HEIGHT - share * (HEIGHT - 14)


def _percent(value: float) -> str:
    return "not measured" if math.isnan(value) else f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"
