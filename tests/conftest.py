"""Fixtures that several kinds of test share. It also puts this folder on the path, for `synthetic.py`."""

from collections.abc import Callable

import pytest

import synthetic
from gyges.transcripts.rows import Study


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Builds a synthetic study: `make_study(models, scenarios=3, skins=10, ...)`."""
    return synthetic.study
