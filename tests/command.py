"""The command line in this process: a process of its own would spend seconds on imports, a hundred times."""

import contextlib
import io
import os
import sys
from typing import NamedTuple
from unittest import mock

from gyges.cli.main import main


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def gyges(*arguments: object, **env: str) -> Done:
    """Run a command, without the keys of this machine."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")} | env
    with (
        mock.patch.dict(os.environ, clean, clear=True),
        mock.patch.object(sys, "argv", ["gyges", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
