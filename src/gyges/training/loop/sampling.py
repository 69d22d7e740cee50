"""Completions of an open model for prompts of token ids. Not covered: servers; a model behind one is Inspect's."""

from collections.abc import Sequence
from typing import Any


def sample(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], max_new_tokens: int, temperature: float = 1.0, top_p: float = 1.0
) -> list[list[int]]:  # fmt: skip
    """One completion for each prompt, cut after the token that ends it. After the same `torch.manual_seed` the same batch gives the same completions.

    Args:
        model: a Transformers or PEFT model.
        tokenizer: its tokenizer.
        prompts: token ids, together in one batch.
        max_new_tokens: at most so many tokens.
        temperature: 0 takes the likeliest token.
        top_p: share of the probability that is sampled from.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    ids = pad_sequence(
        [torch.tensor(list(p)) for p in prompts],
        batch_first=True,
        padding_value=tokenizer.pad_token_id,
        padding_side="left",
    )
    mask = pad_sequence([torch.ones(len(p), dtype=torch.long) for p in prompts], batch_first=True, padding_side="left")
    how = (
        {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
        if temperature
        else {"do_sample": False}
    )
    with torch.inference_mode():
        whole = model.generate(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), max_new_tokens=max_new_tokens,
            pad_token_id=tokenizer.pad_token_id, eos_token_id=ends(model, tokenizer), **how,
        )  # fmt: skip
    sampled, stops = whole[:, ids.shape[1] :].tolist(), set(ends(model, tokenizer))
    lengths = [next((i + 1 for i, token in enumerate(row) if token in stops), len(row)) for row in sampled]
    return [row[:length] for row, length in zip(sampled, lengths, strict=True)]


def ends(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a completion: the tokenizer's, and those that the model's generation settings name."""
    named = model.generation_config.eos_token_id
    more = named if isinstance(named, list) else [named]
    return sorted({token for token in [tokenizer.eos_token_id, *more] if token is not None})
