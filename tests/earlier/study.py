"""What an earlier version left: a model trained on two rows, and what an agent of known rates does.

Hypotheses. None: the results are what counts.

Primary outcome: none.
"""

from collections.abc import Sequence

from gyges.evaluation.evaluate_step import Evaluate
from gyges.evaluation.spec import Spec
from gyges.studies.study import Study
from gyges.training import SFT


def study(seeds: Sequence[int] = (0,)) -> Study:
    """The study as it is written today."""
    trained = SFT(model="tiny", data="rows.jsonl", max_steps=2, learning_rate=0.01, seed=3)
    spec = Spec(scenarios=("blackmail",), factors={"density": ("0",), "interface": ("text",)}, samples=3)
    agent = Evaluate(model="scripted/mixture", model_args={"harm": 0.4}, spec=spec)
    return Study("old", __doc__ or "", (trained, agent))
