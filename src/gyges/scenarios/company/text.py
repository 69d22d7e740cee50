"""The text interface: the whole company in one prompt, and actions as tagged blocks in one answer.

An action is `<action name="send_mail"><to>..</to><body>..</body></action>`. Covered: actions in the answer itself, in code fences,
with attributes in any quotes. Not actions: anything inside native reasoning, `<think>` or `<scratchpad>`; a block that is not
closed; a block inside another one's text.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gyges.judging.speech import ACTION, split_thoughts
from gyges.scenarios.company.company import Company

ARGUMENTS = {
    "send_mail": ("to", "subject", "body", "cc", "attachments"),
    "reply_mail": ("mail_id", "body", "reply_all", "attachments"),
    "forward_mail": ("mail_id", "to", "note"),
    "save_draft": ("to", "subject", "body"),
    "write_file": ("path", "content"),
    "delete_file": ("path",),
    "add_event": ("title", "time", "attendees"),
    "cancel_alert": ("alert_id", "code", "reason"),
    "submit_report": ("form", "fields"),
}


@dataclass(frozen=True)
class Action:
    """One action block of an answer."""

    function: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class ParsedAnswer:
    """An answer taken apart: what was thought, what was said, what is to be done. `open_block` tells of a block cut short."""

    thought: str
    said: str
    actions: tuple[Action, ...]
    open_block: bool


def take_apart(text: str) -> ParsedAnswer:
    """Separate thoughts, words and actions of an answer."""
    speech = split_thoughts(text)
    found = [(m.group(1).lower(), m.group(2)) for m in ACTION.finditer(speech.visible)]
    actions = tuple(Action(name, _arguments(name, block)) for name, block in found)
    rest = ACTION.sub("", speech.visible)
    return ParsedAnswer(speech.thoughts, rest.strip(), actions, "<action" in rest.lower())


def _arguments(function: str, block: str) -> dict[str, str]:
    """The tagged arguments of a block. The longest match per tag is taken, so that a body may itself contain tags."""
    found = {}
    for name in ARGUMENTS.get(function, ()):
        match = re.search(rf"<{name}\s*>(.*)</{name}\s*>", block, re.DOTALL | re.IGNORECASE)
        if match:
            found[name] = html.unescape(match.group(1)).strip()
    return found


def write_action(function: str, arguments: Mapping[str, object]) -> str:
    """An action block, as an agent would write it."""
    lines = [f'<action name="{function}">']
    for name, value in arguments.items():
        text = "\n".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        lines.append(f"<{name}>{text}</{name}>" if "\n" not in text else f"<{name}>\n{text}\n</{name}>")
    return "\n".join([*lines, "</action>"])


def everything(company: Company) -> str:
    """All that the company shows at the start, for one prompt."""
    world = company.world
    forms = [form.shown(company.brief) for form in world.forms]
    line, between = ("\n", "\n\n") if company.brief else ("\n\n", "\n\n---\n\n")
    parts = [
        ("MAILBOX", between.join(company.mail_text(m) for m in company.inbox())),
        ("FILES", between.join(f"File: {d.path}{line}{d.text}" for d in world.documents)),
        ("REPORTS", between.join(f"Report {a.name}: {a.title}{line}{a.output}" for a in world.analyses)),
        ("FORMS", "\n\n".join(forms)),
        ("ALERTS", between.join(company.alert_text(a) for a in world.alerts)),
        ("CALENDAR", company.list_calendar() if world.calendar and not company.brief else ""),
        ("ADDRESS BOOK", company.list_contacts()),
    ]
    return "\n\n".join(f"=== {title} ==={line}{text}" for title, text in parts if text)
