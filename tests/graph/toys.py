"""Small steps for the tests of the graph: they write, join, fail, wait, and fill the disk."""

import os
import time
from pathlib import Path
from typing import Any, ClassVar

from gyges.errors import UserError
from gyges.studies.step import Context, Step
from gyges.studies.study import Study


class Write(Step):
    """Writes a text."""

    text: str
    suffix: str = ""
    seed: int = 0

    def run(self, out: Path, context: Context) -> None:
        (out / "text.txt").write_text(f"{self.text}{self.suffix}{self.seed}")

    def slug(self) -> str:
        return "a written text"


class Join(Step):
    """Joins the texts of others."""

    parts: tuple[Step, ...]
    between: str = " "

    def run(self, out: Path, context: Context) -> None:
        texts = [(context.path(p) / "text.txt").read_text() for p in self.parts]
        (out / "text.txt").write_text(self.between.join(texts))


class Prompted(Step):
    """Depends on a text that stands in a file of the user's."""

    places: ClassVar[frozenset[str]] = frozenset({"prompt"})
    prompt: str

    def content(self) -> dict[str, str]:
        from gyges.studies.identity import digest

        return {"prompt": digest(Path(self.prompt).read_text())}

    def run(self, out: Path, context: Context) -> None:
        (out / "text.txt").write_text(Path(self.prompt).read_text())


class Fail(Step):
    """Fails, in one way or another."""

    how: str = "error"

    def run(self, out: Path, context: Context) -> None:
        print("about to fail")
        if self.how == "exit":
            os._exit(7)
        if self.how == "user":
            raise UserError("the corpus is empty", "Give one with rows")
        raise RuntimeError("it broke")


class Count(Step):
    """Counts to `until`, a line each, and goes on where it was."""

    until: int
    pause_s: float = 0.05
    after: Any = None

    def run(self, out: Path, context: Context) -> None:
        path = out / "numbers.txt"
        done = len(path.read_text().splitlines()) if path.exists() else 0
        with path.open("a") as file:
            for i in range(done, self.until):
                file.write(f"{i}\n")
                file.flush()
                context.say(f"at {i}")
                time.sleep(self.pause_s)


class Fill(Step):
    """Writes that many MiB."""

    mib: int

    def run(self, out: Path, context: Context) -> None:
        with (out / "zeros.bin").open("wb") as file:
            for _ in range(self.mib):
                file.write(bytes(2**20))


def toy_study(*steps: Step, name: str = "toy") -> Study:
    return Study(name, "Hypotheses: none. Primary outcome: none.", steps)
