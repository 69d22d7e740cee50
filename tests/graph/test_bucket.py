"""Results in an object store: made once for all machines, whole or not there, sent by the next run where a run was killed before it could.

The bucket is a folder behind fsspec's `file://`; two caches stand for two machines.
"""

import os
import shutil
from pathlib import Path

import pytest
from toys import Count, Fail, Join, Write, toy_study

from gyges.errors import UserError
from gyges.studies.execution.one_step import run_one
from gyges.studies.plan import StepState, plan
from gyges.studies.results.bucket import Bucket
from gyges.studies.results.store import LOG, RECORD, Store, open_store
from gyges.studies.results.tidy import collect, remove
from gyges.studies.run_study import RunSettings, run
from gyges.studies.study import registered

A, B = Write(text="a"), Write(text="b")
BOTH = Join(parts=(A, B))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/bucket"


def machine(tmp_path: Path, name: str, url: str) -> Store:
    return Store(tmp_path / name, Bucket(url))


def states(store: Store) -> set[StepState]:
    return {p.state for p in plan([BOTH], store).steps}


def test_a_second_machine_runs_nothing_and_reads_the_first_ones_results(tmp_path: Path, url: str) -> None:
    one, two = machine(tmp_path, "one", url), machine(tmp_path, "two", url)
    assert run(toy_study(BOTH), one, RunSettings(workers=2)).whole
    assert states(two) == {StepState.CACHED}
    told: list[str] = []
    assert run(toy_study(BOTH), two, RunSettings(workers=2), lambda name, text: told.append(text)).whole and not told
    assert (two.result(BOTH) / "text.txt").read_text() == "a0 b0"
    assert not two.is_whole(A), "what nobody asked for stayed in the bucket"
    assert len(registered(two, toy_study(BOTH).name)) == 1


def test_what_a_step_needs_is_brought_to_where_it_runs(tmp_path: Path, url: str) -> None:
    one, two = machine(tmp_path, "one", url), machine(tmp_path, "two", url)
    run(toy_study(A, B), one, RunSettings(workers=2))
    assert run(toy_study(BOTH), two, RunSettings(workers=1)).whole
    assert (two.result(BOTH) / "text.txt").read_text() == "a0 b0"


def test_a_result_that_was_not_sent_is_sent_and_not_made_again(tmp_path: Path, url: str) -> None:
    store = machine(tmp_path, "one", url)
    assert not run_one(
        A, Store(tmp_path / "one")
    ).problem  # whole here, as after a kill between the record and the bucket
    made = (store.path(A) / RECORD).stat().st_mtime_ns
    assert store.record(A) is None and plan([A], store).steps[0].state is StepState.MISSING
    assert run(toy_study(A), store, RunSettings(workers=1)).whole
    assert store.record(A) is not None and (store.path(A) / RECORD).stat().st_mtime_ns == made


def test_half_a_result_in_the_bucket_is_none(tmp_path: Path, url: str) -> None:
    one, two = machine(tmp_path, "one", url), machine(tmp_path, "two", url)
    run(toy_study(A), one, RunSettings(workers=1))
    os.remove(tmp_path / "bucket" / A.name / RECORD)
    assert plan([A], two).steps[0].state is StepState.MISSING
    (tmp_path / "bucket" / A.name / RECORD).write_text('{"name": ')
    assert plan([A], two).steps[0].state is StepState.MISSING


def test_what_came_down_by_half_is_fetched_again(tmp_path: Path, url: str) -> None:
    one, two = machine(tmp_path, "one", url), machine(tmp_path, "two", url)
    run(toy_study(A), one, RunSettings(workers=1))
    part = two.path(A).with_name(f"{two.path(A).name}.part")
    part.mkdir(parents=True)
    (part / "text.txt").write_text("ha")
    assert (two.result(A) / "text.txt").read_text() == "a0" and not part.exists()


def test_the_log_of_a_failed_step_is_read_from_anywhere(tmp_path: Path, url: str) -> None:
    run(toy_study(Fail()), machine(tmp_path, "one", url), RunSettings(workers=1))
    two = machine(tmp_path, "two", url)
    assert "about to fail" in two.log(Fail().key)
    assert not (two.path(Fail()) / LOG).exists()


def test_deleting_takes_the_record_first(tmp_path: Path, url: str) -> None:
    store = machine(tmp_path, "one", url)
    run(toy_study(BOTH, Count(until=1)), store, RunSettings(workers=2))
    found = collect(store, [toy_study(BOTH)])
    assert [r.name for r in found] == [Count(until=1).name]
    remove(store, found)
    assert not (tmp_path / "bucket" / found[0].name).exists() and not (tmp_path / "one" / found[0].name).exists()
    assert states(store) == {StepState.CACHED}


def test_each_address_has_a_cache_of_its_own(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYGES_CACHE", str(tmp_path / "cache"))
    run(toy_study(A), open_store(url), RunSettings(workers=1))
    shutil.rmtree(tmp_path / "cache")
    assert open_store(url).record(A) is not None
    assert open_store(url).root != open_store(f"{url}2").root


def test_an_address_that_cannot_be_opened_is_told() -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        open_store("nosuch://bucket/x")
