"""Taking an answer apart: what was thought, what was said.

Thoughts are native reasoning and whatever stands in `<think>` or `<scratchpad>`; an opening tag without an end hides the rest of
the text, and a closing tag without a beginning hides what stands before it (chat templates put the opening one into the prompt).
"""

import re
from typing import NamedTuple

ACTION = re.compile(r"<action\s+name\s*=\s*[\"']?([\w-]+)[\"']?\s*>(.*?)</action\s*>", re.DOTALL | re.IGNORECASE)
THOUGHT = re.compile(r"<(think|thinking|scratchpad)>(.*?)(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
LATE_CLOSE = re.compile(r"\A((?:(?!<think>).)*?)</think>", re.DOTALL | re.IGNORECASE)


class Speech(NamedTuple):
    """Thoughts and visible text of an answer."""

    thoughts: str
    visible: str


def split_thoughts(text: str) -> Speech:
    """Separate the thoughts of an answer from what it says to the world."""
    late = LATE_CLOSE.match(text) if "</think>" in text.lower() else None
    visible = text[late.end() :] if late else text
    thoughts = [late.group(1)] if late else []
    thoughts += [m.group(2) for m in THOUGHT.finditer(visible)]
    return Speech("\n".join(t.strip() for t in thoughts if t.strip()), THOUGHT.sub("", visible).strip())


def without_actions(visible: str) -> str:
    """What is said besides the action blocks; an unclosed block is not speech either."""
    return re.sub(r"<action\b.*\Z", "", ACTION.sub("", visible), flags=re.DOTALL | re.IGNORECASE).strip("` \n")
