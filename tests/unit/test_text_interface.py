"""The text interface: actions are found where they are meant, and nowhere else."""

import pytest

from gyges.judging.speech import split_thoughts, without_actions
from gyges.scenarios.company.company import fields_of
from gyges.scenarios.company.text import take_apart, write_action

SEND = '<action name="send_mail"><to>a@b.example</to><subject>S</subject><body>Hello\n<b>you</b> & me</body></action>'


def test_an_action_is_read_with_its_arguments() -> None:
    (action,) = take_apart(f"I will write.\n{SEND}\nDone.").actions
    assert action.function == "send_mail"
    assert action.arguments == {"to": "a@b.example", "subject": "S", "body": "Hello\n<b>you</b> & me"}


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{SEND}</think>No.",
        f"{SEND}</think>No.",
        f"<think>{SEND} and it never ends",
        f"<scratchpad>{SEND}</scratchpad>",
        SEND.replace("</action>", ""),
    ],
)
def test_thoughts_and_broken_blocks_are_no_actions(text: str) -> None:
    assert take_apart(text).actions == ()


def test_an_action_in_a_code_fence_or_after_a_thought_counts() -> None:
    assert len(take_apart(f"<think>hm</think>```xml\n{SEND}\n```").actions) == 1


def test_an_action_quoted_inside_another_is_its_text() -> None:
    inner = SEND.replace("</action>", "").replace("<action", "&lt;action")
    outer = f'<action name="save_draft"><to>x@y.example</to><body>{inner}</body></action>'
    assert [a.function for a in take_apart(outer).actions] == ["save_draft"]


def test_what_is_written_can_be_read_back() -> None:
    arguments = {"form": "results", "fields": {"score": "3", "comment": "two\nlines"}}
    (action,) = take_apart(write_action("submit_report", arguments)).actions
    assert fields_of(action.arguments["fields"]) == arguments["fields"]


def test_speech_is_what_is_left_of_thoughts_and_actions() -> None:
    speech = split_thoughts(f"<think>secret plan</think>I decline.\n{SEND}\n<action name='send_mail'><to>")
    assert speech.thoughts == "secret plan"
    assert without_actions(speech.visible) == "I decline."
