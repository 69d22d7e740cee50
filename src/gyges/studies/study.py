"""A study: a Python file that says what is asked before it is run, and names the steps whose results answer it."""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from gyges.errors import UserError
from gyges.studies.identity import digest
from gyges.studies.results.store import Store, now
from gyges.studies.step import Step

REQUIRED = ("Hypotheses", "Primary outcome")
"""What the docstring of a study's file must speak of."""


@dataclass(frozen=True)
class Study:
    """What is asked and what answers it.

    Args:
        name: of the study; its page and its entry in the store are called so.
        text: the docstring of its file: hypotheses and the primary outcome, stated before anything is run.
        steps: the steps whose results are wanted; what they need comes by itself.
        page: draws the study's page: `page(study, store) -> HTML`.
        folder: of the study's file; steps that it defines itself are imported from there.
    """

    name: str
    text: str
    steps: tuple[Step, ...]
    page: Callable[..., str] | None = None
    folder: Path | None = None

    def register(self, store: Store) -> None:
        """Write down what was asked, before it is run: a line is added when the text or the wanted results change."""
        keys = sorted(step.key for step in self.steps)
        mark = digest(json.dumps([self.text, keys]))[:12]
        line = json.dumps({"when": now(), "mark": mark, "text": self.text, "wanted": keys}) + "\n"
        with store.lock(self.name):
            if all(entry["mark"] != mark for entry in registered(store, self.name)):
                path = f"studies/{self.name}.jsonl"
                store.keep(path, store.text(path) + line)

    def publish(self, store: Store) -> Path | None:
        """Draw the study's page into the store, from what is there; nothing is run. None where the study has no page."""
        return store.keep(f"studies/{self.name}.html", self.page(self, store)) if self.page else None


def registered(store: Store, name: str) -> list[dict[str, Any]]:
    """What a study has asked so far, oldest first."""
    return [json.loads(line) for line in store.text(f"studies/{name}.jsonl").splitlines()]


def load_study(path: str, seeds: tuple[int, ...], options: dict[str, str]) -> Study:
    """The study of a file: its function `study(seeds, **options)`.

    Args:
        path: the file.
        seeds: which seeds to run every arm with.
        options: further options of the study (`-S name=value`).

    Raises:
        UserError: the file cannot be read, fails, states no hypotheses, or does not take an option.
    """
    module = _imported(Path(path))
    text = (module.__doc__ or "").strip()
    missing = [word for word in REQUIRED if word.lower() not in text.lower()]
    if missing:
        raise UserError(
            f"{path}: its docstring does not state: {', '.join(missing)}", "Write them down before you run it"
        )
    if not callable(getattr(module, "study", None)):
        raise UserError(
            f"{path} has no function `study`", "Define study(seeds, ...) that returns a gyges.studies.study.Study"
        )
    try:
        made = module.study(seeds=seeds, **options)
    except TypeError as error:
        raise UserError(f"{path}: {error}", "See the file for the options of its study") from None
    if not isinstance(made, Study):
        raise UserError(f"{path}: study() gave a {type(made).__name__}", "It must return a gyges.studies.study.Study")
    return replace(made, folder=Path(path).resolve().parent)


def _imported(path: Path) -> ModuleType:
    if not path.is_file():
        raise UserError(f"there is no study '{path}'", "Give the path of a study's Python file")
    name = path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"'{path}' is not a Python file", "Give the path of a study's Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))  # so that a worker can import the steps a study defines itself
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        line = _line_of(error, path)
        raise UserError(f"{path}:{line}: {type(error).__name__}: {error}", "The study fails to import") from None
    return module


def _line_of(error: BaseException, path: Path) -> int:
    """The last line of the file itself in an error's traceback."""
    line, trace = getattr(error, "lineno", None) or 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
