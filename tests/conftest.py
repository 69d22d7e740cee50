"""Fixtures that several kinds of test share. It also puts this folder on the path, for `synthetic.py`."""

from collections.abc import Callable

import pytest
from hypothesis import settings

import synthetic
from gyges.pages.test.results import Results

settings.register_profile("no timings in asserts", deadline=None)
settings.load_profile("no timings in asserts")


@pytest.fixture
def make_study() -> Callable[..., Results]:
    """Builds a synthetic study: `make_study(models, scenarios=3, skins=10, ...)`."""
    return synthetic.study
