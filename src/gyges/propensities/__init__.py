"""Propensities read from likelihoods: which of two actions, written out, does a model find more probable?

`items.py` the situations, `frames.py` the wordings around them, `scoring.py` items and frames to rows, `guard.py` whether
the model is still coherent, `preferences.py` the step, `shifts.py` what its rows show and how two measurements differ.
"""

from gyges.propensities.frames import Frame
from gyges.propensities.items import Item, ItemSet, load_items
from gyges.propensities.preferences import Propensity

__all__ = ["Frame", "Item", "ItemSet", "Propensity", "load_items"]
