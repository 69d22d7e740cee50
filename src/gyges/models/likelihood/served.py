"""The likelihood of continuations from a server that returns the log-probabilities of its prompt.

    ServerModel("http://127.0.0.1:8000/v1", "my-model").score([Request("The capital of France is", " Paris")])

Covered: servers with OpenAI's completions endpoint that honour `echo` together with `logprobs`, such as vLLM's and
llama-cpp-python's; one generated token is asked for, as lm-eval does, and thrown away. The server tokenises the text,
and the continuation's tokens are found from its end: white space before the boundary belongs to it, and a token that
reaches across the boundary is counted whole (`merged`). The key comes from OPENAI_API_KEY.
Not covered: llama.cpp's own server, which returns log-probabilities of generated tokens only (llama.cpp issue 27174)
and is refused in words; tokens that cut a character in two; chat templates, which only the server knows. Whether
beginnings are shared is the server's affair: requests that begin alike are sent one after the other.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gyges.errors import UserError
from gyges.models.likelihood.logprobs import Likelihood
from gyges.models.likelihood.tokens import Request, at_word

CONNECTIONS = 8
TIMEOUT_S = 600.0


class ServerModel:
    """A model behind an OpenAI-compatible server.

    Args:
        base_url: where its API begins, as `http://127.0.0.1:8000/v1`.
        name: what the server calls the model.
    """

    def __init__(self, base_url: str, name: str) -> None:
        from openai import OpenAI

        self.base_url, self.name = base_url, name
        self._client = OpenAI(base_url=base_url, api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=TIMEOUT_S)

    def score(self, requests: Sequence[Request]) -> list[Likelihood]:
        """The likelihood of each continuation, in the order of the requests.

        Raises:
            UserError: the server does not answer, gives no log-probabilities of the prompt, or its tokens do not
                spell the text.
        """
        moved = [at_word(request) for request in requests]
        order = sorted(range(len(moved)), key=lambda i: moved[i].context)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            found = dict(zip(order, pool.map(self._scored, [moved[i] for i in order]), strict=True))
        return [found[i] for i in range(len(moved))]

    def chat(self, messages: Sequence[dict[str, str]]) -> str:
        """Refused: only the server knows the model's chat template.

        Raises:
            UserError: always.
        """
        raise UserError(
            f"the chat template of {self.name} is known to its server only", "Name frames that are plain text"
        )

    def sample(self, prompts: Sequence[str], tokens: int) -> list[str]:
        """One continuation of each prompt at temperature 1, seeded by its place as far as the server honours
        seeds."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(
                pool.map(
                    lambda p: self._ask(prompt=p[1], max_tokens=tokens, temperature=1.0, seed=p[0]).text,
                    enumerate(prompts),
                )
            )

    def _scored(self, request: Request) -> Likelihood:
        whole = request.context + request.continuation
        answer = self._ask(prompt=whole, max_tokens=1, temperature=0.0, echo=True, logprobs=1)
        logprobs = answer.logprobs
        tokens = logprobs.tokens[:-1] if logprobs and logprobs.tokens else []
        values = logprobs.token_logprobs[:-1] if tokens else []
        tops = (logprobs.top_logprobs or [])[:-1] if tokens else []
        if not tokens or not "".join(tokens).endswith(request.continuation):
            raise UserError(
                f"{self.base_url} gives no log-probabilities of the prompt",
                "Use a server with echo and logprobs, such as vLLM",
            )
        start, merged = _boundary(tokens, len(request.continuation))
        if any(value is None for value in values[start:]):
            raise UserError(f"'{whole}' begins with what is to be scored", "Give a server's continuations a context")
        values, tops = values[start:], tops[start:]
        greedy = len(tops) == len(values) and all(v >= max(t.values()) for v, t in zip(values, tops, strict=True))
        return Likelihood(tuple(map(float, values)), greedy, merged)

    def _ask(self, **options: Any) -> Any:
        from openai import OpenAIError

        try:
            return self._client.completions.create(model=self.name, **options).choices[0]
        except OpenAIError as error:
            raise UserError(f"{self.base_url} does not answer for {self.name}", str(error).splitlines()[0]) from error


def _boundary(tokens: Sequence[str], length: int) -> tuple[int, bool]:
    """Where the last `length` characters begin, in tokens, and whether the first of these tokens reaches further
    left."""
    start, left = len(tokens), length
    while left > 0:
        start -= 1
        left -= len(tokens[start])
    return start, left < 0
