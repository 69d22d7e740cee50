"""What runs, in which order, and what is left when something goes wrong."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
from toys import Count, Fail, Join, Write, toy_study

from gyges.errors import UserError
from gyges.studies.execution.packing import pack, unpack
from gyges.studies.plan import StepState, ordered, plan
from gyges.studies.results.compare import differences
from gyges.studies.results.store import ERROR, LOG, RECORD, Store
from gyges.studies.results.tidy import collect, remove
from gyges.studies.run_study import RunSettings, run
from gyges.studies.step import Step

A, B = Write(text="a"), Write(text="b")
BOTH = Join(parts=(A, B))


def states(root: Path, *steps: Step) -> list[str]:
    return [p.state.value for p in plan(steps, Store(root)).steps]


def test_what_is_needed_comes_first_and_once() -> None:
    assert [s.key for s in ordered([Join(parts=(BOTH, A)), BOTH])] == [
        A.key,
        B.key,
        BOTH.key,
        Join(parts=(BOTH, A)).key,
    ]


def test_a_long_chain_is_no_problem() -> None:
    step: Step = A
    for _ in range(3000):
        step = Join(parts=(step,))
    assert len(ordered([step])) == 3001


def test_a_study_runs_and_running_again_runs_nothing(tmp_path: Path) -> None:
    assert run(toy_study(BOTH), Store(tmp_path), RunSettings(workers=2)).whole
    assert (Store(tmp_path).path(BOTH) / "text.txt").read_text() == "a0 b0"
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob(RECORD)}
    told: list[str] = []
    assert run(toy_study(BOTH), Store(tmp_path), RunSettings(workers=2), lambda name, text: told.append(text)).whole
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob(RECORD)} and not told


def test_a_failure_takes_only_its_dependants_with_it(tmp_path: Path) -> None:
    broken = Fail()
    outcome = run(toy_study(BOTH, Join(parts=(A, broken))), Store(tmp_path), RunSettings(workers=2))
    assert set(outcome.done) == {A.key, B.key, BOTH.key}
    assert outcome.failed == {broken.key: "RuntimeError: it broke"}
    assert outcome.blocked == (Join(parts=(A, broken)).key,)
    folder = Store(tmp_path).path(broken)
    assert "about to fail" in (folder / LOG).read_text() and "RuntimeError" in (folder / LOG).read_text()
    assert json.loads((folder / ERROR).read_text())["problem"] == "RuntimeError: it broke"
    assert states(tmp_path, broken) == ["failed"]


def test_a_mistake_of_the_users_is_one_line(tmp_path: Path) -> None:
    outcome = run(toy_study(Fail(how="user")), Store(tmp_path), RunSettings(workers=1))
    assert list(outcome.failed.values()) == ["the corpus is empty. Give one with rows"]


def test_a_process_that_dies_fails_its_step_alone(tmp_path: Path) -> None:
    outcome = run(toy_study(Fail(how="exit"), BOTH), Store(tmp_path), RunSettings(workers=1))
    assert "process died (exit code 7)" in next(iter(outcome.failed.values()))
    assert BOTH.key in outcome.done


def test_a_damaged_record_is_no_result(tmp_path: Path) -> None:
    run(toy_study(A), Store(tmp_path), RunSettings(workers=1))
    path = Store(tmp_path).path(A) / RECORD
    path.write_text(path.read_text()[:40])
    assert states(tmp_path, A) == ["missing"]
    assert run(toy_study(A), Store(tmp_path), RunSettings(workers=1)).whole
    assert states(tmp_path, A) == ["cached"]


def test_code_that_changed_is_seen_and_strict_refuses(tmp_path: Path) -> None:
    run(toy_study(A), Store(tmp_path), RunSettings(workers=1))
    path = Store(tmp_path).path(A) / RECORD
    record = json.loads(path.read_text())
    record["provenance"]["source"] = "another"
    path.write_text(json.dumps(record))
    assert plan([A], Store(tmp_path)).steps[0].state is StepState.DRIFTED
    assert run(toy_study(A), Store(tmp_path)).whole
    with pytest.raises(UserError, match="made by other code"):
        run(toy_study(A), Store(tmp_path), RunSettings(strict=True))


def test_what_was_asked_is_written_down_before_and_once(tmp_path: Path) -> None:
    for _ in range(2):
        run(toy_study(Fail()), Store(tmp_path), RunSettings(workers=1))
    lines = (tmp_path / "studies" / "toy.jsonl").read_text().splitlines()
    assert len(lines) == 1 and "Hypotheses" in json.loads(lines[0])["text"]


def test_why_names_the_field_wherever_it_lies(tmp_path: Path) -> None:
    other = Join(parts=(A, Write(text="b", seed=5)))
    run(toy_study(BOTH, other), Store(tmp_path), RunSettings(workers=1))
    (found,) = differences(BOTH.key, other.key, Store(tmp_path))
    assert (found.where, found.a, found.b) == ("join.parts.1 > write.seed", "0", "5")


def test_gc_keeps_what_a_study_needs(tmp_path: Path) -> None:
    run(toy_study(BOTH, Write(text="c")), Store(tmp_path), RunSettings(workers=1))
    store = Store(tmp_path)
    found = collect(store, [toy_study(BOTH)])
    assert [r.key for r in found] == [Write(text="c").key]
    remove(store, found)
    assert states(tmp_path, BOTH, Write(text="c")) == ["cached", "cached", "cached", "missing"]


def test_times_of_earlier_results_are_the_forecast(tmp_path: Path) -> None:
    run(toy_study(Count(until=2)), Store(tmp_path), RunSettings(workers=1))
    cost = plan([Count(until=3)], Store(tmp_path)).cost()
    assert cost.seconds is not None and cost.seconds >= 0.1


def test_a_store_can_be_moved(tmp_path: Path) -> None:
    run(toy_study(BOTH), Store(tmp_path / "here"), RunSettings(workers=1))
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert states(tmp_path / "there", BOTH) == ["cached"] * 3


def chain(length: int) -> Step:
    """Steps that stand on each other."""
    step: Step = Write(text="0")
    for i in range(length):
        step = Join(parts=(step,), between=str(i))
    return step


def test_a_chain_deeper_than_the_stack_runs(tmp_path: Path) -> None:
    last = chain(600)
    assert run(toy_study(last), Store(tmp_path), RunSettings(workers=2)).whole
    assert (Store(tmp_path).path(last) / "text.txt").read_text() == "00"


def test_a_packed_step_is_the_same_step_and_what_was_sent_is_not_sent_again() -> None:
    both = Join(parts=(Write(text="a"), Join(parts=(Write(text="a"),)))).on(gpus=1)
    copy = pickle.loads(pickle.dumps(both))
    assert copy == both and copy.key == both.key and copy.resources == both.resources
    assert copy.parts[0] is copy.parts[1].parts[0], "one step stays one step"
    known: set[str] = set()
    there: dict[str, Step] = {}
    assert unpack(pack(both.parts[1], known), there) == both.parts[1]
    assert [key for key, _ in pack(both, known)] == [both.key]
    assert [key for key, _ in pack(both, known)] == [both.key], "a step that is tried again is sent again"


def test_steps_that_cannot_be_pickled_have_no_key_either() -> None:
    with pytest.raises(UserError, match="no stable form"):
        pickle.dumps(Count(until=1, after=lambda: None))


def test_an_executor_that_is_none_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no executor 'slurm'"):
        run(toy_study(A), Store(tmp_path / "store"), RunSettings("slurm"))
    assert not (tmp_path / "store").exists()
