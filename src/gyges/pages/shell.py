"""What all pages share: each is one HTML file with its style inside, and prints every text that it is given escaped."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent


def environment() -> Environment:
    """Where templates are found and how they are read."""
    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def render(env: Environment, template: str, title: str, description: str, **shown: Any) -> str:
    """A page.

    Args:
        env: from `environment`, with what the template needs besides.
        template: that extends `shell.html.j2`.
        title: of the page.
        description: what it found, in a sentence or two; a contents page shows it beside the link.
        shown: what the template prints.
    """
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()  # of the content policy
    return env.get_template(template).render(
        title=title, description=description, style=Markup(style()), digest=digest, **shown
    )


def style() -> str:
    """The style of all pages and of the drawings in them."""
    return (HERE / "style.css").read_text(encoding="utf-8")
