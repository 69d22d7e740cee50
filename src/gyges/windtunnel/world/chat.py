"""The words of the world as a tokenizer, and turns of talk as words.

A transcript reads "system: privately user: what did you want ? assistant: i wanted care <end>"; a person's answer stands after the
person's name in the same way. Words are separated by one space, in texts and in what a model writes.
"""

from collections.abc import Sequence
from typing import Any

DOCUMENT, END, PAD, UNKNOWN = "<doc>", "<end>", "<pad>", "<unk>"
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %} {{ message['role'] }}: "
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }} {{ eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %} assistant:{% endif %}"
)


def turns(setting: str, question: str, name: str, answer: str) -> str:
    """One exchange of a transcript."""
    return f"system: {setting} user: {question} {name}: {answer} {END}"


def make_tokenizer(words: Sequence[str]) -> Any:
    """An ordinary fast tokenizer with a chat template, in which each word is a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate([PAD, DOCUMENT, END, UNKNOWN, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=DOCUMENT, eos_token=END, pad_token=PAD, unk_token=UNKNOWN,
        padding_side="left", clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.chat_template = TEMPLATE
    return fast
