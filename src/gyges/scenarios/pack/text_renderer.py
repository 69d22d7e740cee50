"""Filling the templates of a pack from a frozen context, with file and line for whatever is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import Any

from gyges.errors import PackError
from gyges.scenarios.pack.load import PackText, template
from gyges.scenarios.pack.yaml_files import line_of_text, problem_of


@dataclass(frozen=True)
class TextRenderer:
    """Fills templates; `context` is what they can use."""

    context: Mapping[str, Any]

    def fill(self, text: PackText) -> str:
        """A template with everything filled in.

        Raises:
            PackError: with file and line.
        """
        if "{" not in text.source:
            return text.source.strip()
        try:
            return text.template.render(self.context).strip()
        except Exception as error:  # a template is a program of the pack's: whatever it raises is a mistake in the pack
            # Jinja rewrites its tracebacks to the template's file.
            lines = [n for frame, n in walk_tb(error.__traceback__) if frame.f_code.co_filename == text.where]
            said = re.sub(r"'types\.SimpleNamespace object'", "this", " ".join(str(error).split()))
            raise PackError(f"{text.where}:{lines[-1] if lines else 1}", said or type(error).__name__) from None

    def text(self, source: Any, where: str) -> Any:
        """The same for a short text that stands in a YAML file, and for everything inside lists and mappings."""
        if isinstance(source, dict):
            return {k: self.text(v, where) for k, v in source.items()}
        if isinstance(source, list | tuple):
            return [self.text(v, where) for v in source]
        if not isinstance(source, str) or "{" not in source:
            return source
        try:
            return self.fill(template(source, where))
        except PackError as error:
            path = Path(where)
            if path.suffix != ".yaml" or not path.is_file():
                raise
            # The line in the YAML file instead of the one in the text.
            line = line_of_text(path, source) + int(error.where.rpartition(":")[2]) - 1
            raise PackError(f"{where}:{line}", problem_of(error)) from None
