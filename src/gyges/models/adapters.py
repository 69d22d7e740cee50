"""LoRA adapters of the embedded model as GGUF, the form that llama.cpp takes: found, checked against the base, written from a PEFT folder.

llama.cpp turns the rows of query and key projections around (`permute` in its converter), and an adapter's with them. Covered: adapters on linear
layers of Llama's architecture. Not covered: embeddings, DoRA, rank-stabilised LoRA, ranks or scales that differ between layers.
"""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from gyges.errors import UserError
from gyges.files import replacing
from gyges.models.checkpoints import digest_of
from gyges.models.wheel import wheel_file

PLACES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
PEFT_NAME = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.([\w.]+)\.lora_([AB])\.weight")
GGUF_NAME = re.compile(r"(blk\.\d+\.\w+\.weight)\.lora_([ab])")
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
HEADS = {"attn_q": "llama.attention.head_count", "attn_k": "llama.attention.head_count_kv"}


def gguf_of(adapter: str) -> Path:
    """An adapter as a GGUF file that fits the embedded model; one in PEFT's form is written as GGUF into the user's cache.

    Args:
        adapter: a GGUF file, or a PEFT folder.

    Raises:
        UserError: there is none, it is damaged, or it is for another model.
    """
    path = Path(adapter).expanduser()
    if (path / CONFIG).is_file():
        file = user_cache_path("gyges") / "adapters" / f"{digest_of(path.resolve())}.gguf"
        path = file if file.is_file() else write_gguf(path, file)
    if not path.is_file():
        raise UserError(f"there is no adapter '{adapter}'", "Give a GGUF file, or a folder that PEFT has saved")
    _check(path)
    return path


def adapter_digest(adapter: str) -> str:
    """A digest of an adapter's bytes, wherever it lies; empty where there is none."""
    path = Path(adapter).expanduser()
    if (path / CONFIG).is_file():
        return digest_of(path.resolve())
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def write_gguf(adapter: Path, file: Path) -> Path:
    """Write a PEFT folder's adapter as GGUF, in half precision. Gives the file.

    Raises:
        UserError: it is damaged, or changes something that this form cannot hold.
    """
    from gguf import GGUFWriter

    tensors, alpha = _peft(adapter)
    with replacing(file) as part:
        writer = GGUFWriter(str(part), "llama")
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        for name, weights in tensors.items():
            writer.add_tensor(name, weights.astype(np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return file


def _peft(adapter: Path) -> tuple[dict[str, np.ndarray], float]:
    """The weights of a PEFT folder by llama.cpp's names, and alpha."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
        weights = load_file(adapter / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"the adapter in {adapter} is damaged ({type(error).__name__})", "Save it again") from None
    other = [name for name in ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern") if config.get(name)]
    if other or config.get("peft_type") != "LORA":
        raise UserError(
            f"the adapter in {adapter} has {other[0] if other else 'no LoRA'}", "Plain LoRA can be used here"
        )
    return {_gguf_name(name, adapter): _turned(name, w, adapter) for name, w in sorted(weights.items())}, float(
        config["lora_alpha"]
    )


def _gguf_name(name: str, adapter: Path) -> str:
    match = PEFT_NAME.fullmatch(name)
    if match is None or match[2] not in PLACES:
        raise UserError(f"the adapter in {adapter} changes {name}", "Linear layers alone can be changed here")
    return f"blk.{match[1]}.{PLACES[match[2]]}.weight.lora_{match[3].lower()}"


def _turned(name: str, weights: np.ndarray, adapter: Path) -> np.ndarray:
    """Rows of queries and keys in llama.cpp's order."""
    match = PEFT_NAME.fullmatch(name)
    assert match is not None
    place = PLACES[match[2]]
    if place not in HEADS or match[3] == "A":
        return weights
    count = int(_base().get_field(HEADS[place]).contents())
    if weights.shape[0] % (2 * count):
        raise _for_another(adapter, name)
    return weights.reshape(count, 2, weights.shape[0] // count // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def _for_another(adapter: Path, name: str) -> UserError:
    return UserError(
        f"the adapter {adapter} is for another model than SmolLM2 ({name})", "Name one for embedded/smollm2"
    )


@cache
def _base() -> Any:
    from gguf import GGUFReader

    return GGUFReader(str(wheel_file("smollm2", "gguf")))


def _check(path: Path) -> None:
    """Whether a file is an adapter for the embedded model, so that llama.cpp need not be asked, which says nothing of what is wrong."""
    from gguf import GGUFReader

    try:
        found = GGUFReader(str(path))
        kind = found.get_field("general.type").contents()  # pyright: ignore[reportOptionalMemberAccess]
        shapes = {tensor.name: tuple(int(n) for n in tensor.shape) for tensor in found.tensors}
    except Exception as error:  # half a file ends in whatever numpy makes of it
        raise UserError(f"the adapter {path} is damaged ({type(error).__name__})", "Make or fetch it again") from None
    if kind != "adapter" or not shapes:
        raise UserError(f"{path} is a GGUF, but no adapter", "Give a LoRA adapter")
    base = {tensor.name: tuple(int(n) for n in tensor.shape) for tensor in _base().tensors}
    for name, shape in shapes.items():
        match = GGUF_NAME.fullmatch(name)
        wanted = base.get(match[1]) if match else None
        if match is None or wanted is None or shape[match[2] == "b"] != wanted[match[2] == "b"]:
            raise _for_another(path, name)
