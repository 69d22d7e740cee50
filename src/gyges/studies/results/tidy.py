"""Deleting results that nobody needs any more."""

import shutil
from collections.abc import Sequence

from gyges.studies.plan import ordered
from gyges.studies.results.store import ResultRecord, Store
from gyges.studies.study import Study


def collect(store: Store, keep: Sequence[Study], keys: Sequence[str] = ()) -> list[ResultRecord]:
    """The results that may go: those with the given keys, else all that no kept study needs.

    Raises:
        UserError: there is no result with a key.
    """
    if keys:
        return [store.find(key) for key in keys]
    needed = {step.key for study in keep for step in ordered(study.steps)}
    return [record for record in store.records() if record.key not in needed]


def remove(store: Store, records: Sequence[ResultRecord]) -> None:
    """Delete results, and the folders that no other result shares with them."""
    for record in records:
        store.remove(record)
    still = {name for record in store.records() for name in record.shared}
    for name in {name for record in records for name in record.shared} - still:
        with store.lock(name.replace("/", "-")):
            shutil.rmtree(store.root / name, ignore_errors=True)
