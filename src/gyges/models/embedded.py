"""The embedded model: SmolLM2-135M-Instruct from its wheel, served on 127.0.0.1 by llama.cpp in threads of this process.

    inspect eval gyges/blackmail --model embedded/smollm2 -M slots=1 -M threads=2

Covered: chat in text, parallel slots, the prompt cache, one server for all tasks and event loops of a process, a seed
that follows from the prompt. Not covered: tool calls (the model cannot make them: tools are left out of the request and
what it writes is text), images, a process that forks after the first use, and answers that are the same bit for
bit while the prompt cache or several slots are in use (see `-M exact=true`).
"""

import atexit
import ctypes
import hashlib
import importlib
import json
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import anyio.to_thread
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelCall, ModelOutput, get_model
from inspect_ai.tool import ToolChoice, ToolInfo
from openai import APIStatusError, DefaultAsyncHttpxClient

from gyges.errors import UserError
from gyges.models.adapters import gguf_of
from gyges.models.wheel import wheel_file
from gyges.studies.execution.processes import cores

NAME = "smollm2"
NEEDED = ("smollm2", "xllamacpp")
"""The extra, and the server that it brings."""
CONTEXT = 8192
"""Tokens that the model was trained to read, and that each slot holds."""
TEMPERATURE = 0.7
MAX_TOKENS = 400
"""Tokens of an answer unless told: the model rambles, and what comes later is repetition."""
SLOTS = 1
"""Two cores write hardly faster for several answers at once, and samples that share a prompt and run side by side each read
it anew: with two slots the 5,200 tokens of a real prompt were read twice for three samples, with one slot once."""
CACHE_MIB = 1024
"""MiB of memory for prompts that left their slot; one of 4,500 tokens takes about 105."""
TIMEOUT_S = 3600.0
"""Seconds for one answer: on a busy machine a prompt alone can take minutes, and asking again would start it anew."""
SPINS = "1000"
"""Turns that a thread waits awake for the others. OpenMP's own hundreds of thousands slow a shared machine down by far."""
DEFAULT_CONFIG = GenerateConfig()

Answer = ModelOutput | tuple[ModelOutput | Exception, ModelCall]


class Settings(NamedTuple):
    """How the server runs: answers side by side, processor threads, and the adapters that it can put on the model."""

    slots: int
    threads: int
    adapters: tuple[str, ...] = ()


class Served(NamedTuple):
    """The running server, how it runs, and the key without which it answers nobody."""

    server: Any
    settings: Settings
    key: str


class EmbeddedAPI(ModelAPI):
    """The provider `embedded`.

    Args:
        model_name: `smollm2`.
        slots: answers that are written side by side; all slots share the threads.
        threads: processor threads; 0 takes the cores that this process may use, at most 8.
        adapter: a LoRA adapter to put on the model: a GGUF file, or a PEFT folder.
        exact: give up the prompt cache and use one slot, so that a prompt has the same answer in every run. Otherwise the
            seed is the same, but llama.cpp rounds differently with the size of a batch, and answers can part ways.

    Raises:
        UserError: another model's name, the extra is not installed, slots and threads are not numbers, or the adapter cannot be used.
    """

    def __init__(
        self, model_name: str, base_url: str | None = None, api_key: str | None = None,
        config: GenerateConfig = DEFAULT_CONFIG, slots: int = SLOTS, threads: int = 0, exact: bool = False, adapter: str = "",
    ) -> None:  # fmt: skip
        super().__init__(model_name, None, None, [], config)
        if model_name != NAME:
            raise UserError(f"there is no embedded model '{model_name}'", f"Write embedded/{NAME}")
        wheel_file(*NEEDED)
        self.exact = exact
        self.settings = Settings(
            1 if exact else _count("slots", slots, 1),
            _count("threads", threads, 0) or threads_here(),
            (str(gguf_of(adapter)),) if adapter else (),
        )

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> Answer:
        """An answer in text."""
        served = await anyio.to_thread.run_sync(SERVER.serve, self.settings)
        client = DefaultAsyncHttpxClient(trust_env=False, timeout=TIMEOUT_S)  # no proxy for 127.0.0.1
        # A client for each call: connections must not outlive the event loop that they were made in.
        async with get_model(
            f"openai-api/embedded/{NAME}", base_url=f"{served.server.listening_address}/v1", api_key=served.key,
            memoize=False, http_client=client, max_retries=0, stream=False,
        ) as model:  # fmt: skip
            return told(await model.api.generate(input, [], "none", self._config(input, config)))

    def max_connections(self) -> int:
        """As many as there are slots: more would wait inside the server."""
        return self.settings.slots

    def connection_key(self) -> str:
        """All tasks share the one server."""
        return "embedded"

    def _config(self, input: list[ChatMessage], config: GenerateConfig) -> GenerateConfig:
        defaults = GenerateConfig(temperature=TEMPERATURE, max_tokens=MAX_TOKENS, seed=seed_of(input))
        settings = defaults.merge(config)
        if self.exact:
            settings.extra_body = {**(settings.extra_body or {}), "cache_prompt": False}
        return settings


def seed_of(messages: list[ChatMessage]) -> int:
    """The sampling seed of a prompt, 31 bits.

    A repeated run asks with the same seed, whatever order its samples run in, and samples of one cell differ because each
    prompt ends with its session's reference. Epochs of one sample do not differ. The last of the 32 bits is left out
    because llama.cpp reads 0xFFFFFFFF as "any seed".
    """
    text = json.dumps([[m.role, m.text] for m in messages])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def told(answer: Answer) -> Answer:
    """The provider's answer, where a prompt beyond the context is an answer too."""
    if not isinstance(answer, tuple):
        return answer
    output, call = answer
    if isinstance(output, APIStatusError) and "context size" in str(output):
        problem = f"The prompt does not fit into {CONTEXT} tokens."
        return ModelOutput.from_content(NAME, "", stop_reason="model_length", error=problem), call
    return output, call


def threads_here() -> int:
    """Cores that this process may use, at most 8: more gain little on a model this small."""
    return min(cores(), 8)


class SharedServer:
    """The one server of a process, started on first use on a free port; safe from any thread."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.served: Served | None = None

    def serve(self, settings: Settings) -> Served:
        """The running server.

        Raises:
            UserError: it already runs with other settings.
        """
        with self.lock:
            if self.served is None:
                self.served = _start(settings)
                atexit.register(self.stop)
            if self.served.settings != settings:
                raise UserError(
                    f"embedded/{NAME} already runs with {self.served.settings}",
                    "Give all tasks the same -M slots, threads and adapter",
                )
            return self.served

    def stop(self) -> None:
        """End the server, at the end of the process: its threads must be gone before Python's own parts are."""
        with self.lock:
            self.served = None


SERVER = SharedServer()


def _start(settings: Settings) -> Served:
    with _short_spins():
        xllamacpp: Any = importlib.import_module("xllamacpp")
    key = secrets.token_urlsafe()
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(wheel_file(*NEEDED)), {NAME}
    params.hostnames, params.port, params.api_keys, params.ui = ["127.0.0.1"], 0, [key], False
    params.n_ctx, params.n_parallel = settings.slots * CONTEXT, settings.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
    # No n_cache_reuse: it moves pieces of other prompts into place, which changes what the model reads.
    params.cache_prompt, params.cache_ram_mib, params.fit_params = True, CACHE_MIB, False
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(file, 1.0) for file in settings.adapters]
    params.verbosity = -1
    with _own_signals():
        return Served(xllamacpp.Server(params), settings, key)


@contextmanager
def _short_spins() -> Iterator[None]:
    """Let OpenMP read our setting while it is loaded, unless the user has one; other programs do not inherit it."""
    if {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        yield
        return
    os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        yield
    finally:
        del os.environ["GOMP_SPINCOUNT"]


@contextmanager
def _own_signals() -> Iterator[None]:
    """Take SIGINT and SIGTERM back from llama.cpp, which would keep Ctrl+C from Python.

    Through the C library, because Python's `signal` refuses to work outside the main thread. Not on Windows.
    """
    if os.name != "posix":
        yield
        return
    libc, numbers = ctypes.CDLL(None), (signal.SIGINT, signal.SIGTERM)
    saved = {number: ctypes.create_string_buffer(512) for number in numbers}  # struct sigaction is smaller everywhere
    for number, action in saved.items():
        libc.sigaction(int(number), None, action)
    try:
        yield
    finally:
        for number, action in saved.items():
            libc.sigaction(int(number), action, None)


def _count(name: str, value: int | str, least: int) -> int:
    if not str(value).isdigit() or int(value) < least:
        raise UserError(f"{name}={value} is not a count", f"Write -M {name}=2")
    return int(value)
