"""Opening models by Inspect's names, with a user's mistakes told in one line before anything is spent."""

import io
import os
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlparse
from urllib.request import getproxies, proxy_bypass

from inspect_ai.model import GenerateConfig, Model, ModelInfo, get_model, set_model_info

from gyges.errors import UserError
from gyges.evaluation.live.servers import watch_requests
from gyges.evaluation.live.trouble import shown_address, without_keys
from gyges.evaluation.spec import How, ModelSpec, Spec

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

LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
SERVERS = {"vllm": "VLLM_BASE_URL", "vllm-completions": "VLLM_BASE_URL", "sglang": "SGLANG_BASE_URL"}
"""Providers that start a server of their own where the environment names none."""
PACKAGES = {
    "vllm": ("vllm",), "vllm-completions": ("vllm",), "sglang": ("sglang",), "hf": ("torch", "transformers", "accelerate"),
}  # fmt: skip
"""What providers need and some of them miss only when the first sample is generated."""
MARKUP = re.compile(r"\[/?(?:bold|italic|underline|dim|link|red|green|blue|yellow|cyan|magenta)\b[^\]]*\]")
"""The colours that Inspect puts into its messages."""


def open_model(model: ModelSpec, spec: Spec, how: How) -> Model:
    """A model that can be asked.

    Raises:
        UserError: unknown name, missing key or package, nobody behind the address.
    """
    config = GenerateConfig(
        max_tokens=spec.max_tokens, temperature=spec.temperature, max_connections=how.max_connections
    ).merge(_patience(how.timeout, how.max_retries))
    if how.base_url is not None:
        _check_address(how.base_url, "--base-url")
    opened = _open(model.name, config, how.base_url, model.args)
    _check_server(opened)
    watch_requests(opened, "model")
    if check := getattr(opened.api, "check", None):  # a provider that knows beforehand which scenarios it cannot play
        check(spec.scenarios)
    return opened


def check_usable(models: Sequence[ModelSpec], spec: Spec, how: How) -> None:
    """Find out, without loading any weights, whether the models and the grader of a spec can be asked.

    Raises:
        UserError: one cannot.
    """
    for model in models:
        if model.provider in PACKAGES:
            _check_packages(model.name, how.base_url, model.args)
        else:
            open_model(model, spec, how)
    open_grader(spec.grader, how.timeout, how.max_retries)


@cache
def open_grader(grader: str, timeout: int | None = None, max_retries: int | None = None) -> Model | None:
    """The model of a grader, or None for `builtin` and `none`.

    Raises:
        UserError: the model cannot be used.
    """
    if grader in ("builtin", "none"):
        return None
    opened = _open(grader, GenerateConfig(temperature=0.0).merge(_patience(timeout, max_retries)), None, {})
    _check_server(opened)
    watch_requests(opened, "grader")
    return opened


def _patience(timeout: int | None, max_retries: int | None) -> GenerateConfig:
    """How long and how often a server is asked. Inspect looks at its `timeout` only between tries, of which one that hangs would never end."""
    return GenerateConfig(timeout=timeout, attempt_timeout=timeout, max_retries=max_retries)


def _open(name: str, config: GenerateConfig, base_url: str | None, args: Mapping[str, Any]) -> Model:
    if "/" not in name:
        raise UserError(f"unknown model '{name}'", "Write provider/model, e.g. openai/gpt-4.1 or embedded/smollm2")
    _check_packages(name, base_url, args)
    if name.startswith("vllm") and (address := base_url or os.environ.get(SERVERS["vllm"])):
        _check_address(address, "--base-url" if base_url else SERVERS["vllm"])
        args = {"lazy_init": False, **args}  # the server is there: its client is made now, so that it can be watched
    if "model_path" in args:  # the name is the user's own: Inspect would look for it on the hub, to learn about it
        set_model_info(name, ModelInfo())
    try:
        with redirect_stdout(io.StringIO()):  # Inspect announces hooks on standard output, which is for results
            return get_model(name, config=config, base_url=base_url, memoize=False, **args)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        text = MARKUP.sub("", str(error)).strip().removeprefix("ERROR: ")
        text = " ".join(re.sub(r"(?<=\w)\s*\n\s*\n", ". ", text).split()) or type(error).__name__
        raise UserError(f"the model '{name}' cannot be used: {text[:300].rstrip('.')}", _remedy(name, error)) from None


def _check_packages(name: str, base_url: str | None, args: Mapping[str, Any]) -> None:
    """Whether the packages are there that a provider would otherwise miss in every sample."""
    provider = name.partition("/")[0]
    serves = provider in SERVERS
    if serves and (base_url or args.get("port") or os.environ.get(SERVERS[provider])):
        return
    missing = [package for package in PACKAGES.get(provider, ()) if find_spec(package) is None]
    if missing:
        elsewhere = ", or give the address of a running server (--base-url)" if serves else ""
        problem = f"the model '{name}' cannot be used: the package {missing[0]} is not installed"
        raise UserError(problem, f"Install it: pip install {' '.join(missing)}{elsewhere}")


def _remedy(name: str, error: BaseException) -> str:
    text = str(error).lower()
    if "api key" in text or "api_key" in text or "environment variable" in text:
        return "Set the key in the environment, or test embedded/smollm2, which needs none"
    if "pip install" in text:
        return ""
    return "See https://inspect.aisi.org.uk/providers.html for the names"


def _check_server(model: Model) -> None:
    """Ask whether somebody listens behind an address that is local or comes from the environment; the providers' own are left alone."""
    found = getattr(model.api, "base_url", None) or getattr(getattr(model.api, "client", None), "base_url", None)
    later = SERVERS.get(str(model).partition("/")[0], "")
    url = str(found or os.environ.get(later, ""))
    wanted = url.rstrip("/").casefold()
    places = ((k, v.rstrip("/").casefold()) for k, v in os.environ.items() if k.endswith("_BASE_URL"))
    variable = next((k for k, v in places if v and v == wanted), "")
    if variable:
        _check_address(os.environ[variable], variable)
        return
    with suppress(ValueError):  # what is no address at all is Inspect's to refuse
        if urlparse(url).hostname in LOCAL:
            _check_address(url, "--base-url")


def _check_address(url: str, source: str) -> None:
    """Whether an address is one, and somebody listens behind it.

    Raises:
        UserError: it is none, or nobody does.
    """
    host, port = _place(url, source)
    if urlparse(url).scheme in getproxies() and host not in LOCAL and not proxy_bypass(host):
        return  # only the proxy can tell
    try:
        socket.create_connection((host, port), timeout=3).close()
    except (OSError, ValueError):  # ValueError: no host can have such a name
        raise UserError(
            f"no server answers at {shown_address(url)}", f"Start it, or correct the address ({source})"
        ) from None


def _place(url: str, source: str) -> tuple[str, int]:
    try:
        address = urlparse(url)
        if address.scheme in ("http", "https") and address.hostname:
            return address.hostname, address.port or (443 if address.scheme == "https" else 80)
    except ValueError:  # a port that is not a number, or half an IPv6 address
        pass
    raise UserError(
        f"'{without_keys(url)}' is not the address of a server ({source})", "Write it like http://localhost:8000/v1"
    )
