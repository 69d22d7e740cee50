"""Functions in specs, by their place: 'package.module:function', with arguments that are data. Not covered: code as identity (it is recorded)."""

from collections.abc import Callable, Sequence
from functools import partial
from pkgutil import resolve_name
from typing import Any

from pydantic import BaseModel, ConfigDict

from gyges.errors import UserError


class Call(BaseModel):
    """A function with arguments of its own: `Call(function="my.rewards:near", arguments={"weight": 0.5}, name="near")`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: str
    arguments: dict[str, Any] = {}
    name: str = ""


def named(calls: Sequence[str | Call]) -> dict[str, Callable[..., Any]]:
    """The functions by name, in order; a name is what stands after the colon, or what the call says.

    Raises:
        UserError: a function is not there, or two have one name.
    """
    found: dict[str, Callable[..., Any]] = {}
    for call in (c if isinstance(c, Call) else Call(function=c) for c in calls):
        name = call.name or call.function.rpartition(":")[2]
        if name in found:
            raise UserError(
                f"two functions are called '{name}'", "Give one of them a name: Call(function=..., name=...)"
            )
        function = resolve(call.function)
        found[name] = partial(function, **call.arguments) if call.arguments else function
    return found


def resolve(place: str) -> Callable[..., Any]:
    """The function at 'package.module:function'.

    Raises:
        UserError: there is none.
    """
    try:
        function = resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"there is no function {place}", f"Write 'package.module:function' ({error})") from error
    if not callable(function):
        raise UserError(f"{place} is not a function", "Name something that can be called")
    return function
