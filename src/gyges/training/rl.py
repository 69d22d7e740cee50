"""Reinforcement learning with TRL's GRPOTrainer: reward functions, monitors of weight zero, and a choice of prompt to sample under.

TRL's data set holds row numbers only. Its `rollout_func` is ours: it samples with TRL's own generation, judges the completions, and hands
TRL the mask of completions that could not be judged, so that those are in no loss, no group's mean and no count of tokens. Not
covered: tools and environments with several turns.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field

from gyges.errors import UserError
from gyges.models.checkpoints import Loaded
from gyges.studies.step import Context
from gyges.training.functions import Call, named
from gyges.training.reward_functions import Batch, Panel, Signal
from gyges.training.rows.prompts import Prompts, tell
from gyges.training.rows.reading import order, read_rows, with_field
from gyges.training.settings import Training, arguments, peft_config, prepare, saver

ROLLOUTS = "scores"
TOO_EVEN = "All solved: fewer steps. Never solved: easier tasks, SFT first, more num_generations. Or raise max_zero_variance_steps"


class RL(Training):
    """Train on rewards. Rows are `{"prompt": [messages] or text, ...}`; their further fields go to the reward functions.

    A row may have a `sampling_prompt`: completions are sampled under it and trained as answers to `prompt`.

    Args:
        reward_funcs: 'package.module:function' with TRL's signature, or a `Call` with arguments.
        reward_weights: one for each reward function; empty means 1 each.
        monitors: functions that are asked and logged, and have no part in the reward.
        per_device_train_batch_size: completions that go through the model together.
        num_generations: completions of one prompt; a step's completions are a multiple.
        max_completion_length: tokens.
        beta: weight of the KL divergence from the model at the start.
        num_iterations: optimizer steps on the same completions.
        max_zero_variance_steps: steps in a row without a group whose rewards differ, after which the run stops; None never stops.
    """

    learning_rate: float = 1e-6
    reward_funcs: tuple[str | Call, ...] = Field(min_length=1)
    reward_weights: tuple[float, ...] = ()
    monitors: tuple[str | Call, ...] = ()
    num_generations: int = Field(default=8, ge=2)
    max_completion_length: int = Field(default=256, ge=1)
    temperature: float = 1.0
    top_p: float = 1.0
    beta: float = 0.0
    epsilon: float = 0.2
    num_iterations: int = Field(default=1, ge=1)
    loss_type: str = "dapo"
    scale_rewards: str = "group"
    mask_truncated_completions: bool = False
    max_zero_variance_steps: int | None = 50

    def run(self, out: Path, context: Context) -> None:
        """Train, and leave `model`, `metrics.jsonl` and `trained_on.json` in `out`."""
        workers = context.resources.workers
        if self.rows_per_step % (self.num_generations * workers):
            raise UserError(
                f"{self.rows_per_step} completions a step are not a multiple of num_generations={self.num_generations}"
                + (f" on each of {workers} workers" if workers > 1 else ""),
                "Change per_device_train_batch_size or gradient_accumulation_steps",
            )
        steps = self.rows_per_step // self.num_generations
        panel = Panel(named([*self.reward_funcs, *self.monitors]), self.weights(), context.say)
        loaded = prepare(self, out, context)
        prompts = Prompts(with_field(read_rows(self.data, context), "prompt"), loaded, self.max_completion_length)
        if self.max_steps is not None:
            samplings = -(-self.max_steps // self.num_iterations)
        else:
            samplings = max(1, round(len(prompts.rows) * self.num_train_epochs / steps))
        chunks = order(len(prompts.rows), steps, samplings, 1, self.seed)
        tell(prompts, chunks, out, context)
        _train(self, prompts, chunks, panel, loaded, out, context)

    def weights(self) -> dict[str, float]:
        """The weight of each reward function, by name.

        Raises:
            UserError: there are more or fewer weights than functions.
        """
        names = list(named(self.reward_funcs))
        weights = self.reward_weights or (1.0,) * len(names)
        if len(weights) != len(names):
            raise UserError(f"{len(weights)} reward_weights for {len(names)} reward_funcs", "Give one each, or none")
        return dict(zip(names, weights, strict=True))


def _train(
    spec: RL, prompts: Prompts, chunks: list[list[int]], panel: Panel, loaded: Loaded, out: Path, context: Context
) -> None:
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"  # rollout_func is experimental, and TRL says so at every start
    from datasets import Dataset
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    from gyges.training.loop.training_loop import train

    steps = len(chunks) * spec.num_iterations if spec.max_steps is None else spec.max_steps
    rollouts = Rollout(prompts, panel, spec)
    config = GRPOConfig(
        **arguments(spec, out, range(steps), context), shuffle_dataset=False, num_generations=spec.num_generations,
        max_completion_length=spec.max_completion_length, temperature=spec.temperature, top_p=spec.top_p, beta=spec.beta,
        epsilon=spec.epsilon, num_iterations=spec.num_iterations, loss_type=spec.loss_type, scale_rewards=spec.scale_rewards,
        mask_truncated_completions=spec.mask_truncated_completions,
        reward_weights=[panel.weights.get(name, 0.0) for name in panel.functions],
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=loaded.model, args=config, processing_class=loaded.tokenizer, peft_config=peft_config(spec),
        train_dataset=Dataset.from_dict({"prompt": [str(i) for chunk in chunks for i in chunk]}),
        reward_funcs=[_column(name) for name in panel.functions], rollout_func=rollouts,
    )  # fmt: skip
    save = saver(spec, loaded, out)
    train(trainer, out, context, save, spec.keep_checkpoints, spec.num_iterations, rollouts)


def _column(name: str) -> Any:
    """A reward function for TRL that gives back what the panel found; a masked completion has no value."""

    def values(completions: list[Any], scores: list[dict[str, float | None]], **_: Any) -> list[float | None]:
        return [row[name] for row in scores]

    values.__name__ = name
    return values


class Rollout:
    """Samples completions, has them judged, and counts what there is to learn from. TRL's `rollout_func`, and the loop's `Extra`."""

    def __init__(self, prompts: Prompts, panel: Panel, spec: RL) -> None:
        self.prompts, self.panel, self.spec = prompts, panel, spec
        self.signal = Signal(panel, spec.num_generations)
        self.last: dict[str, Any] = {}
        self.without = 0

    def __call__(self, numbers: list[str], trainer: Any) -> dict[str, Any]:
        """Completions for rows, each row `num_generations` times: ids under the training prompt, masks, scores."""
        rows = [int(number) for number in numbers]
        # TRL's own generation, and not the model's, because it knows of vLLM, sharded weights and the eos tokens.
        ids, _ = trainer._generate_single_turn(
            [self.prompts.sampled[i] for i in rows], None, {}, self.spec.num_generations
        )
        texts = self.prompts.tokenizer.batch_decode(ids, skip_special_tokens=True)
        prompts, answers = [self.prompts.rows[i]["prompt"] for i in rows], self.prompts.answers(rows, texts)
        scored = self.panel.score(Batch(prompts, answers, ids, self.prompts.columns(rows)))
        counts = self.signal.of(scored)
        from accelerate.utils import gather_object

        parts = gather_object([counts])
        self.last = {
            name: sum(part.get(name, 0) for part in parts) for name in {n: None for part in parts for n in part}
        }
        nothing = dict.fromkeys(self.panel.functions)
        pairs = list(zip(scored.values, scored.masked, strict=True))
        return {
            "prompt_ids": [self.prompts.trained[i] for i in rows], "completion_ids": ids, "logprobs": None,
            "env_mask": [[int(not masked)] * len(c) for c, masked in zip(ids, scored.masked, strict=True)],
            ROLLOUTS: [nothing if masked else values for values, masked in pairs],
        }  # fmt: skip

    def resumed(self, lines: list[dict[str, Any]]) -> None:
        """Count on from the steps that are done."""
        for line in lines:
            self._count(line)

    def take(self) -> dict[str, Any]:
        """The counts of the last sampling, once."""
        taken, self.last = self.last, {}
        return taken

    def check(self, line: dict[str, Any]) -> None:
        """Stop where nothing has been learnt from for long.

        Raises:
            UserError: no group's rewards differed in `max_zero_variance_steps` steps in a row.
        """
        self._count(line)
        limit = self.spec.max_zero_variance_steps
        if limit is not None and self.without >= limit:
            reward = line.get("reward")
            level = "no reward could be given" if reward is None else f"reward {reward:.3g}"
            advice = "See the log for why the reward functions fail" if reward is None else TOO_EVEN
            raise UserError(f"{limit} steps in a row had no group whose rewards differ ({level})", advice)

    def _count(self, line: dict[str, Any]) -> None:
        if "groups" in line:
            self.without = self.without + 1 if line["zero_variance_groups"] == line["groups"] else 0
