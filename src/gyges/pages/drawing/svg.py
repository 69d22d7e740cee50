"""Small SVG drawings as text: escaped, without inline styles, coloured by the page's classes.

Not matplotlib: its files carry their colours and sizes with them, so they follow neither the reader's dark mode nor a
phone's width, and its style attributes would need a weaker content policy. A drawing here is 360 units wide, about a
phone's width in pixels, so the text in it stays as large as `style.css` says.
"""

from collections.abc import Iterable, Sequence
from html import escape

from markupsafe import Markup

WIDTH = 360
LEFT, RIGHT = 6, 354


def element(name: str, *children: str, **attributes: str | float) -> str:
    """One element. `class_` becomes `class`, `text_anchor` becomes `text-anchor`; numbers keep one decimal."""
    pairs = "".join(f' {k.rstrip("_").replace("_", "-")}="{_value(v)}"' for k, v in attributes.items())
    return f"<{name}{pairs}>{''.join(children)}</{name}>" if children else f"<{name}{pairs}/>"


def text(x: float, y: float, content: str, class_: str = "", anchor: str = "start") -> str:
    """A line of text, its baseline at `y`."""
    return element("text", escape(content), x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def bar(x1: float, x2: float, y: float, height: float, class_: str, hint: str = "") -> str:
    """A horizontal bar from `x1` to `x2`; `hint` shows under the pointer."""
    title = (element("title", escape(hint)),) if hint else ()
    return element("rect", *title, x=x1, y=y, width=max(x2 - x1, 0), height=height, class_=class_)


def dot(x: float, y: float, radius: float, class_: str) -> str:
    return element("circle", cx=x, cy=y, r=radius, class_=class_)


def scale(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """Where a value lies between the left and the right edge of the drawing."""
    return LEFT + (min(max(value, low), high) - low) / (high - low) * (RIGHT - LEFT)


def drawing(name: str, title: str, description: str, height: float, parts: Iterable[str]) -> Markup:
    """The whole drawing, announced as one image with a title and a description. `name` must be unique on the page."""
    head = element("title", escape(title), id=f"{name}-t") + element("desc", escape(description), id=f"{name}-d")
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" viewBox="0 0 {WIDTH} {_value(height)}" '
        f'aria-labelledby="{name}-t" aria-describedby="{name}-d">'
    )
    return Markup(opening + head + "".join(parts) + "</svg>")


def axis(
    top: float, bottom: float, ticks: Sequence[tuple[float, str]], low: float = 0.0, high: float = 1.0
) -> list[str]:
    """Vertical guides with their labels under them; the outer labels stay inside the drawing."""
    parts = []
    for value, label in ticks:
        x = scale(value, low, high)
        anchor = "start" if x <= LEFT else "end" if x >= RIGHT else "middle"
        parts += [line(x, top, x, bottom, "guide"), text(x, bottom + 15, label, "tick", anchor)]
    return parts


def wrap(content: str, limit: int) -> list[str]:
    """The text on one line, or on two where it is too long and a comma lets it be broken."""
    parts = content.split(", ")
    if len(content) <= limit or len(parts) == 1:
        return [shorten(content, limit)]
    broken = [(", ".join(parts[:i]) + ",", ", ".join(parts[i:])) for i in range(1, len(parts))]
    fitting = [lines for lines in broken if max(map(len, lines)) <= limit]
    return [shorten(line, limit) for line in (fitting or broken)[0]]


def shorten(content: str, limit: int) -> str:
    """At most `limit` characters, the middle cut out: the ends of a model's name tell more than its middle."""
    if len(content) <= limit:
        return content
    head = (limit - 1) // 2
    return f"{content[:head]}…{content[-(limit - 1 - head) :]}"


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
