"""Mirrors of a training's metrics get what `metrics.jsonl` has, each training in a run of its own."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gyges.training.settings import Training
from gyges.training.sft import SFT
from training_toys import chat, context, jsonl, lines_of, tiny_model


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """Two trainings in one process, mirrored in both; their own metrics by the name of the run."""
    for name, value in {
        "WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path / "mirror"), "TRACKIO_DIR": str(tmp_path / "mirror" / "trackio"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "mirror").mkdir()
    base, data = tiny_model(tmp_path / "base"), jsonl(tmp_path / "rows.jsonl", [chat("what is one", "two")] * 4)
    found = {}
    for steps in (2, 3):
        step: Training = SFT(model=str(base), data=data, max_steps=steps)
        out = tmp_path / str(steps)
        out.mkdir()
        step.run(out, context(trackers=("trackio", "wandb")))
        found[step.name] = lines_of(out)
    return found


def test_every_training_is_a_run_with_its_own_losses(trained: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mirror" / "trackio" / "gyges.db") as database:
        rows = database.execute("select run_name, metrics from metrics order by run_name, step").fetchall()
    mirrored: dict[str, list[float]] = {}
    for name, values in rows:
        if (loss := json.loads(values).get("train/loss")) is not None:
            mirrored.setdefault(name, []).append(loss)
    assert mirrored == {name: [line["loss"] for line in lines] for name, lines in trained.items()}
    assert len(list((tmp_path / "mirror" / "wandb").glob("offline-run-*"))) == 2
