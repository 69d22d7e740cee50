"""The company's functions as Inspect tools, and counterparts that a model plays (the `simulator` role)."""

import functools
from typing import Any

from inspect_ai.model import ChatMessageSystem, ChatMessageUser, get_model, model_roles
from inspect_ai.tool import ToolDef
from inspect_ai.util import Store

from gyges.scenarios.company.company import FUNCTIONS, Company, call

PART = (
    "You play {name} ({title}) at {company}. Write the text of one short business mail with which {name} would answer the mail "
    "below, knowing only what {name} can know. No subject line, no comment. If {name} would not answer, write the usual one-line receipt."
)


def company_tools(company: Company, store: Store) -> list[ToolDef]:
    """One tool for every function of the company; each keeps the company's state in the sample's store."""
    return [_tool(company, function, store) for function in FUNCTIONS]


def _tool(company: Company, function: str, store: Store) -> ToolDef:
    method = getattr(company, function)

    @functools.wraps(method)
    async def execute(*args: Any, **kwargs: Any) -> str:
        known = len(company.state.arrived)
        answer = call(company, function, dict(zip(method.__code__.co_varnames[1:], args, strict=False)) | kwargs)
        await _simulate_answers(company, known)
        company.state.keep(store)
        return answer

    return ToolDef(execute, name=function)


async def _simulate_answers(company: Company, known: int) -> None:
    """Let the `simulator` role, if there is one, write the answers that a rule has just scheduled."""
    role: Any = model_roles().get("simulator") if len(company.state.arrived) > known else None
    if role is None:
        return
    simulator, mail = get_model(role), company.state.sent[-1]
    asked = ChatMessageUser(content=f"Subject: {mail['subject']}\n\n{mail['body']}")
    new = []
    for answer in company.state.arrived[known:]:
        person = company.world.by_role[answer["role"]]
        part = PART.format(name=person.name, title=person.title or "private person", company=company.world.company)
        output = await simulator.generate([ChatMessageSystem(content=part), asked])
        new.append({**answer, "body": output.completion.strip() or answer["body"]})
    company.state.arrived = [*company.state.arrived[:known], *new]
