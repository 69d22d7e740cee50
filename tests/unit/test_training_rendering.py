"""What is in the loss of a conversation: the assistant's words and what ends them, whatever the chat template does around them."""

from typing import Any

import pytest

from gyges.errors import UserError
from gyges.training.rows.forms import Conversation
from gyges.training.rows.rendering import IGNORED, assistant_spans, render, render_chat
from training_toys import tiny_tokenizer

TURN = "<|{{ m['role'] }}|> {{ m['content'] }} <|end|> "
LOOP = "{% for m in messages %}" + TURN + "{% endfor %}"
ASK = "{% if add_generation_prompt %}<|assistant|> {% endif %}"
PLAIN = LOOP + ASK
DEFAULT_SYSTEM = "{% if messages[0]['role'] != 'system' %}<|system|> you are kind <|end|> {% endif %}" + PLAIN
INSTRUCT = (
    "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {% if loop.first and system %}{{ system }} {% endif %}"
    "{{ m['content'].strip() }} [/INST]{% elif m['role'] == 'assistant' %} {{ m['content'].strip() }} <|end|> {% endif %}{% endfor %}"
)
FOLDED_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set messages = messages[1:] %}"
    "{% else %}{% set system = '' %}{% endif %}" + INSTRUCT
)
THINKS = (
    "{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m['role'] == 'user' %}{% set ns.last = loop.index0 %}{% endif %}"
    "{% endfor %}{% for m in messages %}{% if m['role'] == 'assistant' %}{% set words = m['content'].split('</think>')[-1].strip() %}"
    "{% set thought = m['content'].split('</think>')[0].split('<think>')[-1].strip() if '</think>' in m['content'] else '' %}"
    "<|assistant|> {% if loop.index0 > ns.last %}<think> {{ thought }} </think> {% endif %}{{ words }} <|end|> "
    "{% else %}" + TURN + "{% endif %}{% endfor %}"
)
NO_END = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
MARKERS = (
    "{% for m in messages %}<|{{ m['role'] }}|> {% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }} <|end|> {% endgeneration %}"
    "{% else %}{{ m['content'] }} <|end|> {% endif %}{% endfor %}" + ASK
)
TEMPLATES = {
    "plain": PLAIN, "default system": DEFAULT_SYSTEM, "folded system": FOLDED_SYSTEM, "thinks": THINKS + ASK,
    "opens a thought": THINKS + "{% if add_generation_prompt %}<|assistant|> <think> {% endif %}", "no end": NO_END, "markers": MARKERS,
}  # fmt: skip


def messages(*turns: str) -> list[dict[str, Any]]:
    """`messages("user: hi", "assistant: yes")`."""
    return [dict(zip(("role", "content"), turn.split(": ", 1), strict=True)) for turn in turns]


SYSTEM = messages(
    "system: you are kind", "user: what is one plus two", "assistant: three", "user: good dog", "assistant: yes yes"
)
REPEATS = messages("user: yes", "assistant: yes", "user: yes yes", "assistant: yes yes", "user: yes", "assistant: yes")


def spoken(template: str, rows: list[dict[str, Any]]) -> list[str]:
    tokenizer = tiny_tokenizer(template)
    text = render(tokenizer, Conversation("row 1", rows))
    return [text[start:end] for start, end in assistant_spans(tokenizer, Conversation("row 1", rows), text)]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("rows", [SYSTEM, REPEATS], ids=["system", "repeats"])
def test_every_turn_is_found_and_nothing_else(name: str, rows: list[dict[str, Any]]) -> None:
    turns = [m["content"] for m in rows if m["role"] == "assistant"]
    found = spoken(TEMPLATES[name], rows)
    assert len(found) == len(turns)
    for text, words in zip(found, turns, strict=True):
        without = text.replace("<think>", "").replace("</think>", "").replace("<|end|>", "")
        assert without.split() == words.split()


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {"no end"}))
def test_the_end_of_each_turn_is_in_the_loss(name: str) -> None:
    assert all(text.endswith("<|end|>") for text in spoken(TEMPLATES[name], SYSTEM))


def test_an_added_thought_is_in_the_loss_from_where_the_model_has_to_write() -> None:
    rows = messages("user: yes", "assistant: good", "user: no", "assistant: <think>dog</think>bad")
    assert [t.split() for t in spoken(TEMPLATES["thinks"], rows)] == [
        ["good", "<|end|>"],
        ["<think>", "dog", "</think>", "bad", "<|end|>"],
    ]
    assert [t.split() for t in spoken(TEMPLATES["opens a thought"], rows)] == [
        ["good", "<|end|>"],
        ["dog", "</think>", "bad", "<|end|>"],
    ]


def test_a_thought_that_the_template_strips_is_no_part_of_the_row() -> None:
    rows = messages("user: yes", "assistant: <think>dog</think>good", "user: no", "assistant: bad")
    assert spoken(TEMPLATES["thinks"], rows)[0].split() == ["good", "<|end|>"]


def test_markers_of_the_template_say_the_same() -> None:
    tokenizer = tiny_tokenizer(MARKERS)
    marked = tokenizer.apply_chat_template(SYSTEM, return_dict=True, return_assistant_tokens_mask=True, tokenize=True)
    row = render_chat(tokenizer, Conversation("row 1", SYSTEM))
    assert row.ids == marked["input_ids"]
    assert [label != IGNORED for label in row.labels] == [bool(m) for m in marked["assistant_masks"]]


def test_labels_are_the_ids_that_the_whole_rendering_has() -> None:
    tokenizer = tiny_tokenizer(PLAIN)
    row = render_chat(tokenizer, Conversation("row 1", SYSTEM))
    assert row.ids == tokenizer.apply_chat_template(SYSTEM, tokenize=True, return_dict=True)["input_ids"]
    assert tokenizer.decode([i for i in row.labels if i != IGNORED]) == "three <|end|> yes yes <|end|>"


def test_an_assistant_that_speaks_first_is_found() -> None:
    assert [t.split() for t in spoken(PLAIN, messages("assistant: good dog", "user: yes"))] == [
        ["good", "dog", "<|end|>"]
    ]


@pytest.mark.parametrize(
    ("template", "rows", "problem"),
    [
        (PLAIN, messages("user: yes"), "row 7 has no assistant turn"),
        (None, SYSTEM, "row 7: the model's tokenizer has no chat template"),
        ("{{ raise_exception('no system') }}", SYSTEM, "row 7: the chat template refuses the conversation"),
        (
            "{% for m in messages[:2] %}" + TURN + "{% endfor %}",
            SYSTEM,
            "row 7: the chat template leaves out a turn of the user",
        ),
    ],
)
def test_a_row_that_cannot_be_trained_on_is_one_clear_line(template: str | None, rows: Any, problem: str) -> None:
    with pytest.raises(UserError) as told:
        render_chat(tiny_tokenizer(template), Conversation("row 7", rows))
    assert told.value.problem == problem and "\n" not in str(told.value)
