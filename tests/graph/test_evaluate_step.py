"""The evaluation as a step: the verdicts of `gyges test`, a key that follows what it depends on, and samples that other evaluations take over."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log
from toys import toy_study

from gyges.evaluation.evaluate_step import Evaluate
from gyges.evaluation.run import evaluate
from gyges.evaluation.spec import How, ModelSpec, Spec
from gyges.pages.test.publish import publish
from gyges.scenarios.insider.insider import FAMILY, Insider
from gyges.studies.results.store import Store
from gyges.studies.results.tidy import remove
from gyges.studies.run_study import RunSettings, run
from gyges.training.settings import LoRA
from gyges.training.sft import SFT
from gyges.transcripts.rows import Row
from gyges.transcripts.table import read_table
from training_toys import chat, jsonl, tiny_model

SPEC = Spec(scenarios=("espionage",), factors={"interface": "text"}, samples=6)
STEP = Evaluate(model="scripted/mixture", model_args={"harm": 0.3}, spec=SPEC)
HERE = RunSettings("here")


def made(store: Store, *steps: Evaluate) -> list[list[Row]]:
    """The rows of evaluations, after they have run."""
    outcome = run(toy_study(*steps), store, HERE)
    assert outcome.whole, outcome.failed
    return [read_table(store.path(step) / "verdicts.parquet") for step in steps]


def with_spec(**changed: Any) -> Evaluate:
    """The same evaluation of another spec."""
    return STEP.model_copy(update={"spec": Spec(**SPEC.model_dump() | changed)})


def verdicts(rows: list[Row]) -> dict[str, tuple]:
    return {row.sample_id: (row.outcome, row.status) for row in rows}


def times_run(folder: Path) -> Counter[str]:
    """How often each sample stands in the logs of a folder."""
    logs = [read_eval_log(str(path)) for path in folder.rglob("*.eval")]
    return Counter(str(sample.id) for log in logs for sample in log.samples or [])


def test_a_step_gives_the_same_verdicts_as_the_function(tmp_path: Path) -> None:
    (rows,) = made(Store(tmp_path / "store"), STEP)
    model = ModelSpec(name="scripted/mixture", args={"harm": 0.3})
    assert verdicts(rows) == verdicts(evaluate(model, SPEC, tmp_path / "out")) and len(rows) == 12


def test_an_evaluation_takes_over_the_samples_of_another_and_keeps_its_own_result(tmp_path: Path) -> None:
    store, more = Store(tmp_path), with_spec(samples=9)
    assert more.key != STEP.key and more.shared() == STEP.shared()
    (few,), (many,) = made(store, STEP), made(store, more)
    assert set(times_run(tmp_path / "logs").values()) == {1} and len(times_run(tmp_path / "logs")) == 18
    assert len(few) == 12 and len(many) == 18 and verdicts(few).items() <= verdicts(many).items()
    assert verdicts(made(store, with_spec(samples=4))[0]).items() < verdicts(few).items()
    for step, rows in ((STEP, few), (more, many)):
        assert set(times_run(store.path(step) / "logs")) >= set(verdicts(rows)), "a result holds the logs of its rows"
    publish([store.path(more)], tmp_path / "page")
    assert [e["n"] for e in json.loads((tmp_path / "page" / "estimates.json").read_text())] == [9, 9]


def test_a_precision_goes_on_from_a_fixed_number_and_back(tmp_path: Path) -> None:
    narrow = with_spec(samples=200, precision=0.5)
    alone = made(Store(tmp_path / "alone"), narrow)[0]
    both = made(Store(tmp_path / "both"), STEP, narrow)
    assert verdicts(both[1]) == verdicts(alone) and len(both[0]) == 12
    assert set(times_run(tmp_path / "both" / "logs").values()) == {1}
    assert {row.sequential for row in both[1]} == {True} and {row.sequential for row in both[0]} == {False}


def test_an_edited_pack_or_replayed_file_gives_a_new_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = with_spec().key
    assert before == STEP.key
    real = FAMILY.digest("espionage")
    with monkeypatch.context() as patch:
        patch.setattr(Insider, "digest", lambda self, name: real[::-1])
        assert with_spec().key != before
    file = tmp_path / "turns.json"
    replay = {"model": "scripted/replay", "model_args": {"file": str(file)}}
    file.write_text('[{"text": "No."}]')
    first = Evaluate(**replay)
    keys = {first.key, *first.shared()}
    file.write_text('[{"text": "Yes."}]')
    second = Evaluate(**replay)
    assert not keys & {second.key, *second.shared()}


def test_how_is_no_part_of_the_key_and_a_private_key_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    dear = STEP.model_copy(update={"how": How(budget_usd=1, price=(1, 1), max_connections=3)})
    assert dear.key == STEP.key and dear.shared() == STEP.shared()
    secret = with_spec(skin="private:SESAME", samples=2)
    assert secret.key not in (STEP.key, with_spec(skin="private:OTHER", samples=2).key)
    made(Store(tmp_path), secret)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"SESAME" in path.read_bytes()]


def test_a_budget_is_for_all_evaluations_of_a_store_together(tmp_path: Path) -> None:
    store, priced = Store(tmp_path), {"price": (1000.0, 1000.0)}
    (rows,) = made(store, STEP.model_copy(update={"how": How(budget_usd=1e6, **priced)}))
    spent = sum(row.input_tokens + row.output_tokens for row in rows) / 1000
    assert spent > 0
    other = Evaluate(
        model="scripted/saint", spec=Spec(scenarios=("espionage",), factors={"interface": "text"}, samples=4)
    )
    outcome = run(toy_study(other.model_copy(update={"how": How(budget_usd=spent, **priced)})), store, HERE)
    assert outcome.unfinished == (other.key,) and "the budget is spent: 8 samples" in outcome.failed[other.key]
    assert len(made(store, other.model_copy(update={"how": How(budget_usd=1e6, **priced)}))[0]) == 8


def test_samples_go_with_the_last_result_that_stands_on_them(tmp_path: Path) -> None:
    store, fewer = Store(tmp_path), with_spec(samples=2)
    made(store, STEP, fewer)
    (pool,) = STEP.shared()
    remove(store, [store.find(fewer.key)])
    assert (tmp_path / pool).is_dir()
    remove(store, [store.find(STEP.key)])
    assert not (tmp_path / pool).exists()


def test_a_trained_model_and_adapters_on_adapters_are_evaluated(tmp_path: Path) -> None:
    """The chain of every study: train, then test what came out; its weights are found wherever the store lies."""
    base, data = tiny_model(tmp_path / "base"), jsonl(tmp_path / "rows.jsonl", [chat("what is one", "two")] * 4)
    whole = SFT(model=str(base), data=data)
    adapter = SFT(model=SFT(model=whole, data=data, lora=LoRA(r=2)), data=data, lora=LoRA(r=4))
    quick = with_spec(factors={"density": "0", "interface": "text"}, samples=1, max_tokens=4).spec
    steps = [Evaluate(model=model, spec=quick) for model in (whole, adapter)]
    store = Store(tmp_path / "store")
    for step, rows in zip(steps, made(store, *steps), strict=True):
        assert {row.model for row in rows} == {f"hf/{step.model.key}"} and len(rows) == 2  # type: ignore[union-attr]
        assert not (store.path(step) / "merged").exists()
