"""What the fork server does before it forks, see `warm.py`: what is imported and computed here, no process has to import and compute again.

The names with an underscore are of modules that Inspect imports when it runs; one that is gone costs time and nothing else.
"""

import gc
import importlib
from contextlib import suppress

import inspect_ai.model
import peft  # noqa: F401
import trl.trainer.grpo_trainer
import trl.trainer.sft_trainer  # noqa: F401

import gyges.evaluation.run
import gyges.studies.run_study  # noqa: F401
from gyges.judging.builtin.classifier import trained

for name in ("_control.current_server", "agent._acp.server", "model._openai_responses"):
    with suppress(ImportError):
        importlib.import_module(f"inspect_ai.{name}")
trained()
inspect_ai.model.get_model_info("openai/gpt-4o")  # reads Inspect's list of models
gc.freeze()
"""A collection would touch, and so copy, all of this in every process."""
