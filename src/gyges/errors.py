"""What can go wrong, and how it is said.

`UserError` is a mistake of the person who typed the command: one line that says what is wrong and what to do, exit code 2,
no traceback. Everything that goes wrong inside a sample is data, not an exception: see `judging.outcomes`.
"""


class UserError(Exception):
    """A user's mistake, told in one line that says what to do.

    Args:
        problem: what is wrong, without a full stop.
        remedy: what to do about it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        Exception.__init__(
            self, problem, remedy
        )  # not super(): Inspect's error, which may stand between, takes one text

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}" if self.remedy else self.problem


class Unfinished(UserError):
    """Not everything could be done; what was done is kept, and the same command tries the rest again."""


class PackError(UserError):
    """A mistake in a scenario pack, with the file and line where it is."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.where, self.problem.removeprefix(f"{self.where}: "))
