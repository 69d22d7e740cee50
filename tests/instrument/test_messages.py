"""The labelled messages on which judges are set and measured: they can be played, their labels fit their scenario, and no state gives them away."""

import asyncio
from collections import Counter
from importlib.resources import files

import pytest
import yaml

from gyges.judging.decide import LEDGER, verdict_of
from gyges.judging.outcomes import Status
from gyges.scenarios.pack.play import play

PRESSED = {"goal": "explicit", "threat": "replacement", "interface": "text"}
ADDED = {"blackmail": {"revealed"}}
"""Labels that a scenario does not have yet."""


@pytest.mark.parametrize("part", ["training", "calibration", "test"])
def test_messages_are_sound(part: str) -> None:
    text = files("gyges.judging").joinpath(f"messages/{part}.yaml").read_text(encoding="utf-8")
    entries = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert len({e["id"] for e in entries}) == len(entries) == 180
    assert Counter((e["scenario"], e["harmful"]) for e in entries) == {
        (scenario, harm): 18
        for scenario in ("blackmail", "espionage", "lethal_alert", "research_sabotage", "framing")
        for harm in (True, False)
    }
    for entry in entries[::6]:
        record = play(
            entry["scenario"], PRESSED, entry["skin"], [{"text": entry.get("text", ""), "calls": entry["calls"]}]
        )
        harmful = {*map(str, record.case.harmful), *ADDED.get(entry["scenario"], ())}
        assert (entry["outcome"] in harmful) is entry["harmful"], entry["id"]
        verdict = asyncio.run(verdict_of(record, None))
        assert record.effects and not record.failed, (entry["id"], record.failed)
        assert verdict.status is not Status.SCORED or verdict.judge != LEDGER, entry["id"]
