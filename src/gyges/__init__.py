"""Gyges: test whether a language-model agent stays good under pressure, find out why it turns, and guard it.

Nothing heavy is imported here. `gyges.evaluation.run.evaluate` runs a study, `gyges.pages.test.test_page.render_page` draws it.
"""

__version__ = "0.1.0"
