"""Fixtures that several kinds of test share. It also puts this folder on the path, for `synthetic.py`."""

from collections.abc import Callable

import pytest

import synthetic
from gyges.pages.test.results import Results


@pytest.fixture
def make_study() -> Callable[..., Results]:
    """Builds a synthetic study: `make_study(models, scenarios=3, skins=10, ...)`."""
    return synthetic.study
