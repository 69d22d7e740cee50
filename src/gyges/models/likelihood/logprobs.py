"""How probable a causal language model finds given continuations: exact, and far below what sampling can see.

    LocalModel(model, tokenizer).score([Request("The capital of France is", " Paris")])

Covered: any causal model of Transformers, with or without an adapter, on the device it is on; each token's
log-probability, whether it was the most probable one, and how often the boundary fell inside a token. A beginning
that several requests share goes through the model once, however many continuations, orders and frames follow it
(`batching.py`). Whether the model respects the mask that this needs is tried once on a few tokens; a model
that does not (recurrent, ALiBi, FlashAttention, a soft prompt), and a request longer than its attention window, are
read one request at a time, which is as exact and slower. Logarithms of the softmax are taken in float32 at the
positions that are asked for, and nowhere else. With float32 weights a result does not depend on what it was batched
with beyond 1e-4; half precision rounds inside the model by about 1e-2, whoever computes it.
Not covered: servers (`served.py`), encoder-decoder models, and cutting what is too long.
"""

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gyges.errors import UserError
from gyges.models.likelihood.batching import Tokens, TokenTree, cuts, lay_out
from gyges.models.likelihood.tokens import Encoded, Request, encode

__all__ = ["Likelihood", "LocalModel", "Request"]

BUDGET = {"cpu": 512}
"""Tokens in one pass: enough to keep a device busy, few enough for the attention between unrelated ones to cost
little."""
GPU_BUDGET = 4096
AT_ONCE = 256
"""Positions whose logits are turned into float32 together: at 150,000 words in a vocabulary, 150 MB."""
TOLERANCE = {"torch.float32": 1e-3, "torch.float64": 1e-3}
"""Largest difference of a log-probability, in nats, at which a model counts as respecting the mask."""
HALF_TOLERANCE = 0.25
_PROBE = 24


@dataclass(frozen=True)
class Likelihood:
    """What a model makes of one continuation."""

    logprobs: tuple[float, ...]
    """Of each token given all before it, in nats."""
    greedy: bool
    """Whether every token was the most probable one."""
    merged: bool = False
    """Whether a token reached across the boundary (see `tokens.py`)."""

    @property
    def tokens(self) -> int:
        """Tokens of the continuation."""
        return len(self.logprobs)

    @property
    def total(self) -> float:
        """Log-probability of the continuation, in nats."""
        return math.fsum(self.logprobs)

    @property
    def per_token(self) -> float:
        """Its mean over tokens, in nats per token."""
        return self.total / self.tokens


class LocalModel:
    """A Transformers causal model in this process.

    Args:
        model: a loaded `AutoModelForCausalLM`, or a PEFT model around one; it is put into evaluation mode.
        tokenizer: its tokenizer.
        budget: tokens in one pass; bounds memory and changes no result. None takes what suits the device.
    """

    def __init__(self, model: Any, tokenizer: Any, budget: int | None = None) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.budget = budget or BUDGET.get(model.device.type, GPU_BUDGET)
        plain = model.get_base_model() if hasattr(model, "get_base_model") else model  # the one inside a PEFT model
        self._keeps = "logits_to_keep" in inspect.signature(plain.forward).parameters

    def score(self, requests: Sequence[Request]) -> list[Likelihood]:
        """The likelihood of each continuation, in the order of the requests.

        Raises:
            UserError: a continuation without a token, or a request longer than the model reads.
        """
        import torch

        encoded = encode(self.tokenizer, requests)
        longest = max((len(e.read) for e in encoded), default=0)
        limit = getattr(_config(self.model), "max_position_embeddings", None)
        if limit and longest > limit:
            raise UserError(f"a request has {longest} tokens and the model reads {limit}", "Shorten its context")
        found: dict[int, Likelihood] = {}
        with torch.inference_mode():
            for indices in cuts([e.read for e in encoded], self.budget):
                row = [encoded[i] for i in indices]
                fits = self.packs and max(len(e.read) for e in row) <= _window(self.model)
                scored = self._score_row(row) if fits else [self._score_one(e) for e in row]
                found.update(zip(indices, scored, strict=True))
        return [found[i] for i in range(len(encoded))]

    def chat(self, messages: Sequence[dict[str, str]]) -> str:
        """A conversation in the model's own form, up to where its answer begins.

        Raises:
            UserError: the model has no chat template.
        """
        if not self.tokenizer.chat_template:
            raise UserError("the model has no chat template", "Name frames that are plain text")
        return self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)

    def sample(self, prompts: Sequence[str], tokens: int) -> list[str]:
        """One continuation of each prompt, of at most `tokens` tokens, drawn at temperature 1.

        Each prompt has its own seed, its place, so that an answer does not depend on the others.
        """
        import torch

        device = self.model.device
        found = []
        for seed, prompt in enumerate(prompts):
            ids = torch.tensor([encode(self.tokenizer, [Request("", prompt)])[0].ids], device=device)
            devices = [] if device.type == "cpu" else [device]
            with torch.inference_mode(), torch.random.fork_rng(devices, device_type=device.type):
                torch.manual_seed(seed)
                out = self.model.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=True, temperature=1.0,
                    top_k=0, top_p=1.0, repetition_penalty=1.0, pad_token_id=self.tokenizer.eos_token_id or 0,
                )  # fmt: skip
            found.append(self.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))
        return found

    def _score_row(self, encoded: Sequence[Encoded]) -> list[Likelihood]:
        """Several requests in one pass."""
        row = lay_out([e.read for e in encoded])
        nodes = [path[e.start - 1 :].tolist() for path, e in zip(row.paths, encoded, strict=True)]
        asked = sorted({node for path in nodes for node in path})
        place = {node: i for i, node in enumerate(asked)}
        wanted = [
            (place[n], t)
            for path, e in zip(nodes, encoded, strict=True)
            for n, t in zip(path, e.ids[e.start :], strict=True)
        ]
        values, best = _picked(self._logits(row, asked), wanted)
        found, at = [], 0
        for e in encoded:
            end = at + len(e.ids) - e.start
            found.append(Likelihood(tuple(values[at:end]), all(best[at:end]), e.merged))
            at = end
        return found

    def _score_one(self, encoded: Encoded) -> Likelihood:
        wanted = list(enumerate(encoded.ids[encoded.start :]))
        values, best = _picked(self._last_logits(encoded.read, len(wanted)), wanted)
        return Likelihood(tuple(values), all(best), encoded.merged)

    def _logits(self, row: TokenTree, asked: Sequence[int]) -> Any:
        """(asked, vocabulary) logits after the nodes of a row."""
        import torch

        device, dtype = self.model.device, self.model.dtype
        keep = torch.tensor(asked, device=device)
        visible = torch.from_numpy(row.visible).to(device)
        mask = torch.zeros(visible.shape, dtype=dtype, device=device).masked_fill_(~visible, torch.finfo(dtype).min)
        logits = self.model(
            input_ids=torch.from_numpy(row.ids).to(device)[None], attention_mask=mask[None, None],
            position_ids=torch.from_numpy(row.positions).to(device)[None], use_cache=False,
            **({"logits_to_keep": keep} if self._keeps else {}),
        ).logits[0]  # fmt: skip
        return logits if self._keeps else logits[keep]

    def _last_logits(self, tokens: Tokens, n: int) -> Any:
        """(n, vocabulary) logits after the last n tokens of a sequence."""
        import torch

        ids = torch.tensor([tokens], device=self.model.device)
        kept = {"logits_to_keep": n} if self._keeps else {}
        return self.model(input_ids=ids, **kept).logits[0, -n:]

    @cached_property
    def packs(self) -> bool:
        """Whether the model gives two sequences in one row what it gives each of them by itself. Tried once, on made-up
        tokens."""
        import torch

        words = _config(self.model).vocab_size
        length = int(min(_PROBE, _window(self.model)))
        first = tuple(i % words for i in range(1, length + 1))
        second = (*first[: length // 3], *first[: length // 3 - 1 : -1])
        row = lay_out(probes := sorted([first, second]))
        try:
            with torch.inference_mode():
                packed = self._logits(row, [int(path[-1]) for path in row.paths])
                single = torch.cat([self._last_logits(probe, 1) for probe in probes])
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, TypeError, ValueError):  # the model takes no such mask
            return False
        gap = (packed.float().log_softmax(-1) - single.float().log_softmax(-1)).abs().max().item()
        return gap <= TOLERANCE.get(str(self.model.dtype), HALF_TOLERANCE)


def _picked(logits: Any, wanted: Sequence[tuple[int, int]]) -> tuple[list[float], list[bool]]:
    """For each (row of `logits`, token): its log-probability, and whether no token has a higher one."""
    import torch

    rows, tokens = torch.tensor(list(wanted), device=logits.device).T
    norms, tops = [], []
    for part in logits.split(AT_ONCE):
        norms.append(part.float().logsumexp(-1))
        tops.append(part.argmax(-1))
    values = logits[rows, tokens].float() - torch.cat(norms)[rows]
    return values.tolist(), (torch.cat(tops)[rows] == tokens).tolist()


def _config(model: Any) -> Any:
    return model.config.get_text_config()


def _window(model: Any) -> float:
    """Tokens over which the attention of the model is full: beyond them a mask of ours would take the place of its
    window."""
    sizes = [getattr(_config(model), name, None) for name in ("sliding_window", "attention_chunk_size")]
    return min((size for size in sizes if size), default=math.inf)
