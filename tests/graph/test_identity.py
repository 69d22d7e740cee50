"""The key of a result changes when what it depends on changes, and for no other reason."""

import json
import math
from pathlib import Path

import pytest
from toys import Join, Prompted, Write

from gyges.errors import UserError
from gyges.studies.identity import stable
from gyges.studies.results.store import RECORD, Store
from gyges.studies.run_study import run
from gyges.studies.step import Step


def test_a_field_at_its_default_is_the_same_as_one_left_out() -> None:
    assert Write(text="a").key == Write(text="a", seed=0).key
    assert Write(text="a").key != Write(text="a", seed=1).key


def test_what_a_step_depends_on_is_in_its_key() -> None:
    one, two = Join(parts=(Write(text="a"),)), Join(parts=(Write(text="b"),))
    assert one.key != two.key
    assert one.inputs[0].key == Write(text="a").key


def test_resources_are_not_in_the_key() -> None:
    step = Write(text="a")
    assert step.on(gpus=1, workers=4).key == step.key
    assert step.on(gpus=1).resources.gpus == 1 and step.resources.gpus == 0


def test_a_copy_with_another_field_has_another_key() -> None:
    first = Write(text="a")
    assert first.key and first.model_copy(update={"seed": 1}).key == Write(text="a", seed=1).key


def test_the_keys_are_those_of_all_days() -> None:
    """A changed encoding would make every store worthless: a new one needs a new IDENTITY_VERSION."""
    assert Write(text="a").key == "5f4dcd85e98d"
    assert Join(parts=(Write(text="a"), Write(text="b", seed=3)), between="\u2013").key == "143a47470cd5"


def test_an_edited_text_is_a_new_key_and_a_moved_file_is_not(tmp_path: Path) -> None:
    first, moved = tmp_path / "prompt.md", tmp_path / "elsewhere.md"
    first.write_text("Be good.")
    moved.write_text("Be good.")
    key = Prompted(prompt=str(first)).key
    assert Prompted(prompt=str(moved)).key == key
    first.write_text("Be better.")
    assert Prompted(prompt=str(first)).key != key


def test_a_changed_default_is_refused_aloud(tmp_path: Path) -> None:
    run_alone(Write(text="a"), tmp_path)
    path = Store(tmp_path).path(Write(text="a")) / RECORD
    record = json.loads(path.read_text())
    record["values"]["suffix"] = "!"  # as if the default had been "!" when it was made
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"was made with suffix=!, which is now"):
        run_alone(Write(text="a"), tmp_path)


def test_a_field_that_is_younger_than_a_result_does_not_disturb_it(tmp_path: Path) -> None:
    run_alone(Write(text="a"), tmp_path)
    path = Store(tmp_path).path(Write(text="a")) / RECORD
    record = json.loads(path.read_text())
    del record["values"]["suffix"]
    path.write_text(json.dumps(record))
    assert Store(tmp_path).record(Write(text="a")) is not None


def run_alone(step: Step, root: Path) -> None:
    from toys import toy_study

    assert run(toy_study(step), Store(root)).whole


@pytest.mark.parametrize("value", [print, object(), math.nan, {1: 2}, Path("x")])
def test_a_value_without_a_stable_form_is_told(value: object) -> None:
    with pytest.raises(UserError, match=r"Step\.field"):
        stable(value, "Step.field")


def test_a_circle_is_told() -> None:
    a = Join.model_construct(parts=(), between=" ")
    b = Join.model_construct(parts=(a,), between=" ")
    a.__dict__["parts"] = (b,)
    with pytest.raises(UserError, match="leads back to itself"):
        _ = a.key
