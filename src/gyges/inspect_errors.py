"""Where Inspect calls us: a user's mistake in the form that Inspect tells in one line, without a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from inspect_ai._util.error import PrerequisiteError  # Inspect has no public name for it

from gyges.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")


class InspectUserError(UserError, PrerequisiteError):
    """A user's mistake that both Inspect and our own command line know."""

    def __init__(self, error: UserError) -> None:
        UserError.__init__(self, error.problem, error.remedy)
        self.message = str(error)

    def __reduce__(self) -> tuple[type, tuple[UserError]]:
        return type(self), (UserError(self.problem, self.remedy),)


def told_by_inspect(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose user errors `inspect eval` tells in one line."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except UserError as error:
            raise InspectUserError(error) from None

    return called
