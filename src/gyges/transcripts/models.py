"""Opening models by Inspect's names, with a user's mistakes told in one line before anything is spent."""

import io
import socket
from contextlib import redirect_stdout
from functools import cache
from urllib.parse import urlparse

from inspect_ai.model import GenerateConfig, Model, get_model

from gyges.errors import UserError
from gyges.transcripts.spec import How, ModelSpec, Spec

FREE = (
    "scripted",
    "embedded",
    "hf",
    "vllm",
    "sglang",
    "ollama",
    "llama-cpp-python",
    "mockllm",
    "transformer_lens",
    "nnterp",
)
"""Providers that run on the user's own machine."""


def open_model(model: ModelSpec, spec: Spec, how: How) -> Model:
    """A model that can be asked.

    Raises:
        UserError: unknown name, missing key or package, nobody behind the address.
    """
    config = GenerateConfig(
        max_tokens=spec.max_tokens, temperature=spec.temperature, max_connections=how.max_connections
    )
    opened = _open(model.name, config, how.base_url, model.args)
    _check_server(opened, given=how.base_url is not None)
    return opened


@cache
def open_grader(grader: str) -> Model | None:
    """The model of a grader, or None for `builtin` and `none`.

    Raises:
        UserError: the model cannot be used.
    """
    if grader in ("builtin", "none"):
        return None
    opened = _open(grader, GenerateConfig(temperature=0.0), None, {})
    _check_server(opened, given=False)
    return opened


def _open(name: str, config: GenerateConfig, base_url: str | None, args: dict) -> Model:
    if "/" not in name:
        raise UserError(f"unknown model '{name}'", "Write provider/model, e.g. openai/gpt-4.1 or embedded/smollm2")
    try:
        with redirect_stdout(io.StringIO()):  # Inspect announces hooks on standard output, which is for results
            return get_model(name, config=config, base_url=base_url, memoize=False, **args)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(_first_line(name, error), _remedy(name, error)) from None


def _first_line(name: str, error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"the model '{name}' cannot be used: {text[:300].rstrip('.')}"


def _remedy(name: str, error: BaseException) -> str:
    text = str(error).lower()
    if "api key" in text or "api_key" in text or "environment variable" in text:
        return "Set the key in the environment, or test embedded/smollm2, which needs none"
    if "pip install" in text:
        return ""
    return "See https://inspect.aisi.org.uk/providers.html for the names"


def _check_server(model: Model, given: bool) -> None:
    """Ask whether somebody listens behind an address that was given or is local; the providers' own are left alone."""
    url = getattr(model.api, "base_url", None) or ""
    address = urlparse(str(url))
    local = address.hostname in ("localhost", "127.0.0.1", "::1", "0.0.0.0")
    if not address.hostname or not (local or given):
        return
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname, port), timeout=3).close()
    except OSError:
        raise UserError(f"no server answers at {url}", "Start it, or correct the address (--base-url)") from None
