"""The page of a study, from what is in the store: it can be drawn again at any time, without running anything."""

from pathlib import Path

from gyges.studies.store import Store
from gyges.studies.study import Study


def publish(study: Study, store: Store) -> Path | None:
    """Draw a study's page into the store; None where the study has none.

    Args:
        study: with the function that draws its page; steps without a result are left to that function to name.
        store: with its results.
    """
    if study.page is None:
        return None
    return store.keep(f"studies/{study.name}.html", study.page(study, store))
