"""The commands that write pages from what is there: report, index."""

from pathlib import Path
from typing import Annotated

import typer

from gyges.cli.options import show


def report(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of `gyges test`, or Inspect's logs or folders of them.")
    ],
    out_dir: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write. [default: the first folder]")
    ] = None,
) -> None:
    """Write the page and the estimates of one or several folders anew."""
    from gyges.pages.test.publish import publish

    show(f"Report: {publish(folders, out_dir)}")


def index(
    places: Annotated[list[Path], typer.Argument(help="Pages, or folders of `gyges test` and `gyges run`.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file. [default: index.html in the first folder]")
    ] = None,
    title: Annotated[str, typer.Option(help="The page's title.")] = "Contents",
) -> None:
    """Write one page that links reports and studies, with what each found."""
    from gyges.pages.index import write_contents

    show(f"Page: {write_contents(places, out_file, title)}")
