"""Runs steps on a disk of 8 MiB at `disk`: one before it is full, one that fills it, and both again after some of it was freed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from toys import Fill, Write, toy_study

from gyges.studies.results.store import Store
from gyges.studies.run_study import RunSettings, run

if __name__ == "__main__":
    disk, how = Path("disk"), RunSettings(workers=1)
    store = Store(disk)
    before = run(toy_study(Write(text="a")), store, how)
    full = run(toy_study(Fill(mib=20)), store, how)
    for path in disk.glob("fill/*/zeros.bin"):
        path.unlink()
    after = run(toy_study(Write(text="a"), Fill(mib=1)), store, how)
    print(before.whole, list(full.failed.values()), after.whole)
