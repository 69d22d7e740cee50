"""What users get wrong with models, scripts and task options is told in one line before anything is run."""

import importlib.util
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gyges.errors import UserError
from gyges.evaluation import models
from gyges.evaluation.models import open_model
from gyges.evaluation.spec import How, ModelSpec, Spec
from gyges.scenarios.insider.tasks import builtin_tasks, company
from gyges.scenarios.scripted.provider import ScriptedAPI
from gyges.scenarios.scripted.replay import content_of_args

DEAD = "http://127.0.0.1:9/v1"


def opened(name: str, scenarios: tuple[str, ...] = ("espionage",), base_url: str | None = None, **args: Any) -> Any:
    model = ModelSpec(name=name, args=args)
    return open_model(model, Spec(scenarios=scenarios), How(base_url=base_url))


def told(*parts: str, of: Callable[[], Any]) -> None:
    with pytest.raises(UserError) as caught:
        of()
    text = str(caught.value)
    assert all(part in text for part in parts), text
    assert "\n" not in text and "[bold]" not in text and "[blue]" not in text


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VLLM_BASE_URL", "INSPECT_EVAL_MODEL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


# ---- addresses, keys and packages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["nonsense", "localhost:8000", "", "ftp://localhost/v1", "http://", "http://localhost:x/v1", "http://[::1"]
)
def test_an_address_that_is_none_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    told("is not the address of a server (--base-url)", "http://", of=lambda: opened("openai/gpt-4o", base_url=url))


def test_addresses_from_the_environment_are_asked(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("HOUSE_API_KEY", "x")
    for variable, model in (
        ("OPENAI_BASE_URL", "openai/gpt-4o"), ("HOUSE_BASE_URL", "openai-api/house/m"), ("VLLM_BASE_URL", "vllm/m"),
        ("INSPECT_EVAL_MODEL_BASE_URL", "openai/gpt-4o"),
    ):  # fmt: skip
        with monkeypatch.context() as here:
            here.setenv(variable, DEAD)
            told("no server answers", f"({variable})", of=lambda name=model: opened(name))
            here.setenv(variable, "nonsense")
            told("is not the address", f"({variable})", of=lambda name=model: opened(name))
            here.setenv(variable, server)
            assert opened(model)


def test_the_providers_own_addresses_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(*_: Any, **__: Any) -> None:
        raise AssertionError("asked")

    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setattr(models.socket, "create_connection", unasked)
    assert opened("openai/gpt-4o")


def test_an_address_behind_a_proxy_is_left_to_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert opened("openai/gpt-4o", base_url="https://models.invalid/v1")


def test_a_missing_key_is_told_without_markup() -> None:
    told("No OPENAI_API_KEY", "Set the key in the environment", of=lambda: opened("openai/gpt-4o"))


@pytest.mark.parametrize(("name", "package"), [("vllm/x", "vllm"), ("sglang/x", "sglang"), ("hf/x", "accelerate")])
def test_a_missing_package_is_told_before_anything_is_run(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(models, "find_spec", lambda wanted: None if wanted == package else found(wanted))
    told(f"the package {package} is not installed", f"pip install {package}", of=lambda: opened(name))


@pytest.mark.skipif(importlib.util.find_spec("groq") is not None, reason="the package is there")
def test_a_providers_own_word_on_a_missing_package_is_told_without_markup() -> None:
    told("'groq/x' cannot be used: Groq API requires", "pip install groq", of=lambda: opened("groq/x"))


# ---- scripted agents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"horm": 0.3}, ("have no setting 'horm'", "harm, seed, file")),
        ({"harm": "much"}, ("harm=much is not a probability",)),
        ({"seed": "x"}, ("seed=x is not a whole number",)),
        ({"seed": 1.5}, ("seed=1.5 is not a whole number",)),
    ],
)
def test_arguments_of_scripted_agents_are_checked(args: dict[str, Any], said: tuple[str, ...]) -> None:
    told(*said, of=lambda: ScriptedAPI("mixture", **args))


@pytest.fixture
def replay(tmp_path: Path) -> Callable[[Any], Path]:
    def write(turns: Any) -> Path:
        (tmp_path / "turns.json").write_text(json.dumps(turns))
        return tmp_path / "turns.json"

    return write


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ({"text": 5}, "text: Input should be a valid string"),
        ({"calls": [{"function": "wait", "arguments": [5]}]}, "calls: 0: arguments: Input should be a valid dictionary"),
        ({"calls": [{"function": 5}]}, "calls: 0: function: Input should be a valid string"),
        ({"calls": [{"function": "send_post"}]}, "unknown function 'send_post'; known: list_mail"),
        ({"calls": [{"arguments": {}}]}, "calls: 0: function: Field required"),
        ("hello", "Input should be a valid dictionary"),
        ({"text": "{{ target.email"}, "unexpected end of template"),
    ],
)  # fmt: skip
def test_a_replay_file_is_checked_at_opening(replay: Callable[[Any], Path], turn: Any, said: str) -> None:
    path = replay([{"text": "I begin."}, turn])
    told(f"{path}: turn 2", said, of=lambda: opened("scripted/replay", file=str(path)))


def test_a_name_that_a_scenario_does_not_know_is_told_at_opening(replay: Callable[[Any], Path]) -> None:
    path = replay(
        [
            {"text": "{{ range(2) | list }}"},
            {"calls": [{"function": "wait", "arguments": {"minutes": "{{ rescue.email }}"}}]},
        ]
    )
    assert opened("scripted/replay", ("lethal_alert",), file=str(path))
    told(
        f"{path}: turn 2 names 'rescue', which the scenario 'espionage' does not have",
        of=lambda: opened("scripted/replay", ("lethal_alert", "espionage"), file=str(path)),
    )  # fmt: skip


def test_a_replay_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "turns.json"
    path.write_bytes(b'[{"text": "caf\xe9"}]')
    told("is not UTF-8", of=lambda: opened("scripted/replay", file=str(path)))


def test_the_content_of_a_replay_file_has_a_digest(replay: Callable[[Any], Path], tmp_path: Path) -> None:
    args = {"file": str(replay([{"text": "a"}]))}
    first = content_of_args("scripted/replay", args)
    assert first and first == content_of_args("scripted/replay", args)
    replay([{"text": "b"}])
    assert content_of_args("scripted/replay", args) not in ("", first)
    assert content_of_args("scripted/saint", args) == content_of_args("scripted/replay", {}) == ""
    assert content_of_args("scripted/replay", {"file": str(tmp_path / "none.json")}) == ""


def test_an_agent_whose_script_a_pack_does_not_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from gyges.scenarios.pack.load import load_pack

    monkeypatch.delitem(load_pack("espionage").scripts, "villain")
    assert opened("scripted/saint")
    told("has no script 'villain'", "known_answers.yaml", of=lambda: opened("scripted/mixture"))


# ---- options of the Inspect tasks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"samples": 0}, "samples=0 is not a number"),
        ({"samples": "two"}, "samples=two is not a number"),
        ({"samples": True}, "samples=True is not a number"),
        ({"repeats": 0}, "repeats=0 is not a number"),
        ({"control": "maybe"}, "control=maybe is neither true nor false"),
        ({"skin": "3,3"}, "the skin '3' is given twice"),
        ({"sampels": 3}, "unknown factor 'sampels'"),
    ],
)
def test_task_options_that_make_no_sense_are_told(options: dict[str, Any], said: str) -> None:
    told(said, of=lambda: builtin_tasks()["blackmail"](**options))


def test_the_task_for_ones_own_pack_needs_one() -> None:
    told("needs a scenario", "-T scenario=path/to/pack", of=company)
