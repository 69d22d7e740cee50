"""Numbers and names as the report prints them. A rate never stands without its counts."""

from collections.abc import Sequence

from gyges.analysis.cells import POOLED, Cell
from gyges.statistics.differences import Difference
from gyges.statistics.rates import Estimate

DASH, MINUS, NBSP = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"

SIGNIFICANT = 0.05
"""An adjusted p-value below this is called beyond chance."""


# --- numbers ---------------------------------------------------------------------------------------------------------


def percent(value: float, digits: int = 0) -> str:
    """A share as a percentage; what is not quite none or all is never rounded to it."""
    if 0 < value < 0.5 / 100 / 10**digits:
        return f"<{1 / 10**digits:g}{NBSP}%"
    if 1 - 0.5 / 100 / 10**digits < value < 1:
        return f">{100 - 1 / 10**digits:g}{NBSP}%"
    return f"{100 * value:.{digits}f}{NBSP}%"


def span(low: float, high: float) -> str:
    """An interval of shares; a decimal only where the interval is narrower than two points."""
    digits = 1 if 0 < high - low < 0.02 else 0
    return f"{percent(low, digits).removesuffix(f'{NBSP}%')}{DASH}{percent(high, digits)}"


def rate(e: Estimate) -> str:
    """The share itself, or a dash where nothing was scored."""
    return DASH if e.rate is None else percent(e.rate, 1 if 0 < e.high - e.low < 0.02 else 0)


def counts(e: Estimate, more: str = "") -> str:
    """`7/20 (+2 unscored, +1 error)`: what every rate is printed with. `more` goes into the same brackets."""
    left_out = [f"+{e.unscored} unscored"] * bool(e.unscored) + [f"+{plural(e.errors, 'error')}"] * bool(e.errors)
    notes = "; ".join(filter(None, [", ".join(left_out), more]))
    return f"{e.k}/{e.n}" + (f" ({notes})" if notes else "")


def confidence(e: Estimate) -> str:
    return f"{e.confidence:.0%}".replace("%", f"{NBSP}%")


def interval(e: Estimate) -> str:
    return span(e.low, e.high) if e.n else f"0{DASH}100{NBSP}%"


def worst_case(e: Estimate) -> str:
    """The bounds if every sample that was not scored had gone one way, or the other."""
    return span(e.worst_low, e.worst_high)


def sure(e: Estimate) -> str:
    """Counts, share, interval, and the worst case where something was not scored."""
    worst = f"; worst case {worst_case(e)}" if e.unscored or e.errors else ""
    return f"{counts(e)}: {rate(e)}, {confidence(e)} CI {interval(e)}{worst}"


def points(d: Difference) -> str:
    """A difference of two shares in percentage points with its interval: `+35 points (+12 to +56)`."""
    if d.estimate is None:
        return DASH
    return f"{signed(d.estimate)} points ({signed(d.low)} to {signed(d.high)})"


def signed(value: float) -> str:
    rounded = round(100 * value)
    return f"{'+' if rounded > 0 else MINUS if rounded < 0 else ''}{abs(rounded)}"


def p_value(p: float | None) -> str:
    if p is None:
        return DASH
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def p_of(p: float | None) -> str:
    """A p-value in a sentence."""
    written = p_value(p)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def listing(items: Sequence[str]) -> str:
    """`a, b and c`; nothing for nothing."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


# --- names -----------------------------------------------------------------------------------------------------------


def condition_text(cell: Cell) -> str:
    """The condition as a reader says it: `control`, or the levels that differ from the default."""
    plain = cell.condition in ("", "base", "control", POOLED)
    return _on_side(cell, "" if plain else cell.condition.replace("+", ", ").replace("=", " "))


def _on_side(cell: Cell, levels: str) -> str:
    """Levels as they stand on the cell's side, or the side alone where there are none."""
    if not levels:
        return side(cell)
    return ("control: " if cell.control else "") + levels.replace("_", " ")


def interface_text(cell: Cell) -> str:
    """The interface of a cell as the page calls it."""
    return "all interfaces" if cell.interface == POOLED else cell.info.words.level("interface", cell.interface)


def row_names(cells: Sequence[Cell]) -> list[str]:
    """A name for each cell that says only what tells it from the others; what pressure itself sets tells no two of them apart."""
    sides = [[c for c in cells if c.control is side] for side in (False, True)]
    known = dict.fromkeys(f for c in cells for f in (*c.info.factors, *c.factors) if f != "interface")
    moved = [f for f in known if any(len({c.factors.get(f) for c in side}) > 1 for side in sides)]

    def levels(cell: Cell) -> str:
        return _on_side(cell, ", ".join(f"{factor} {cell.factors.get(factor, DASH)}" for factor in moved))

    aspects = [lambda c: c.model, levels, interface_text]
    telling = [aspect for aspect in aspects if len({aspect(c) for c in cells}) > 1]
    return [", ".join(aspect(c) for aspect in telling) or c.model for c in cells]


def side(cell: Cell) -> str:
    return "control" if cell.control else "pressure"
