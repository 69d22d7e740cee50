"""What all training steps have in common: the fields, their digest, and the options of a Hugging Face Trainer that follow from them."""

import logging
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from gyges.errors import UserError
from gyges.models import checkpoints
from gyges.studies.step import Context, Step
from gyges.training.loop import mirrors
from gyges.training.rows.reading import data_content


class LoRA(BaseModel):
    """A low-rank adapter, with PEFT's names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    r: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    target_modules: str | tuple[str, ...] = "all-linear"


class Training(Step):
    """A training with the options of Transformers and TRL, under their names.

    Args:
        model: a step that made one, a folder, a name on the hub, `embedded/smollm2`.
        data: a step that wrote `rows.jsonl`, a JSONL or parquet file, or a folder of Hugging Face `datasets`.
        per_device_train_batch_size: rows that go through the model together.
        gradient_accumulation_steps: times so many make one optimizer step, on all workers together.
        max_steps: optimizer steps; None follows from `num_train_epochs`.
        lora: train an adapter of this kind; None trains all weights.
        keep_checkpoints: steps after which the model is kept in `checkpoints/STEP`.
    """

    places: ClassVar[frozenset[str]] = frozenset({"model", "data"})

    model: Step | str
    data: Step | str
    learning_rate: float = 2e-5
    lr_scheduler_type: str = "linear"
    warmup_steps: int = 0
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    max_grad_norm: float = 1.0
    per_device_train_batch_size: int = Field(default=8, ge=1)
    gradient_accumulation_steps: int = Field(default=1, ge=1)
    num_train_epochs: float = 1.0
    max_steps: int | None = None
    lora: LoRA | None = None
    keep_checkpoints: tuple[int, ...] = ()
    seed: int = 0

    def content(self) -> dict[str, str]:
        """Model and data, by digest or by the key of the step that made them."""
        return {"model": checkpoints.content_of(self.model), "data": data_content(self.data)}

    @property
    def rows_per_step(self) -> int:
        """Rows of one optimizer step."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    @abstractmethod
    def run(self, out: Path, context: Context) -> None:
        """Train, and leave the model in `out/model`."""


def prepare(spec: Training, out: Path, context: Context) -> checkpoints.Loaded:
    """Open the model to train. An adapter is added into the weights first, and the result kept: it is what the training starts from.

    Raises:
        UserError: see `checkpoints.load`.
    """
    import torch
    from transformers import set_seed
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.getLogger("trl").setLevel(logging.ERROR)  # it warns of every masked completion, which we count
    torch.set_num_threads(max(1, int(context.resources.cpus)))
    set_seed(spec.seed)
    loaded = checkpoints.load(spec.model, context, merge=True)
    if checkpoints.is_adapter(loaded.source):
        merged = out / "base"
        if not context.rank:
            checkpoints.save(loaded.model, loaded.tokenizer, merged)
        from torch import distributed

        if distributed.is_initialized():
            distributed.barrier()
        loaded = checkpoints.Loaded(loaded.model, loaded.tokenizer, str(merged), loaded.content)
        loaded.model.config._name_or_path = str(merged)  # where TRL opens the reference model
    loaded.model.config.pad_token_id = loaded.tokenizer.pad_token_id
    return loaded


def saver(spec: Training, loaded: checkpoints.Loaded, out: Path) -> Any:
    """How this training's models are kept: an adapter with the model it is for, or all weights."""
    inside = Path(loaded.source).is_relative_to(out)

    def save(model: Any, folder: Path) -> None:
        source = str(Path(*[".."] * len(folder.relative_to(out).parts), "base")) if inside else loaded.source
        base = {"source": source, "content": loaded.content} if spec.lora else None
        checkpoints.save(model, loaded.tokenizer, folder, base)

    return save


def peft_config(spec: Training) -> Any:
    """PEFT's form of the adapter, or None."""
    if spec.lora is None:
        return None
    from peft import LoraConfig

    modules = spec.lora.target_modules
    return LoraConfig(
        r=spec.lora.r, lora_alpha=spec.lora.lora_alpha, lora_dropout=spec.lora.lora_dropout, task_type="CAUSAL_LM",
        target_modules=modules if isinstance(modules, str) else list(modules),
    )  # fmt: skip


LARGE = 50_000_000
"""Weights from which on bfloat16 saves time on a processor: SmolLM2 learns about twice as fast."""


def in_bfloat16(model: Any) -> bool:
    """Whether a supervised training multiplies in bfloat16; weights and optimizer stay in float32. On a GPU it does, and on processors made for it."""
    import torch

    if torch.cuda.is_available():
        return True
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return native and model.num_parameters() >= LARGE


def arguments(spec: Training, out: Path, steps: Sequence[Any], context: Context) -> dict[str, Any]:
    """The options that TRL's trainers share. What only says how it runs (precision, logging) is chosen here, not in the spec.

    Raises:
        UserError: the workers do not divide the rows of a step, or a tracker is not installed.
    """
    import torch

    gpu = torch.cuda.is_available()
    workers = context.resources.workers
    if spec.gradient_accumulation_steps % workers:
        raise UserError(
            f"{spec.gradient_accumulation_steps} accumulation steps do not divide among {workers} workers",
            "Raise gradient_accumulation_steps to a multiple",
        )
    return {
        "output_dir": str(out / "resume"), "seed": spec.seed, "max_steps": len(steps), "num_train_epochs": 1,
        "learning_rate": spec.learning_rate, "lr_scheduler_type": spec.lr_scheduler_type, "warmup_steps": spec.warmup_steps,
        "weight_decay": spec.weight_decay, "adam_beta2": spec.adam_beta2, "max_grad_norm": spec.max_grad_norm,
        "per_device_train_batch_size": spec.per_device_train_batch_size,
        "gradient_accumulation_steps": (spec.gradient_accumulation_steps // workers),
        "use_cpu": not torch.accelerator.is_available(),  # else Accelerate does not see that workers on CPUs are joined
        "bf16": gpu, "gradient_checkpointing": gpu, "dataloader_pin_memory": gpu,
        "logging_steps": 1, "disable_tqdm": True, "save_strategy": "no", "remove_unused_columns": False,
        "report_to": mirrors.check(context.trackers), "run_name": spec.name, "project": mirrors.PROJECT,
    }  # fmt: skip
