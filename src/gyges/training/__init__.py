"""How a model is changed: training steps over TRL and PEFT. Importing this loads no torch."""

from gyges.training.functions import Call
from gyges.training.rl import RL
from gyges.training.rollouts import Rollouts
from gyges.training.settings import LoRA, Training
from gyges.training.sft import SFT, Documents
from gyges.training.trajectory import Checkpoint, trajectory

__all__ = ["RL", "SFT", "Call", "Checkpoint", "Documents", "LoRA", "Rollouts", "Training", "trajectory"]
