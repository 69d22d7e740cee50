"""Where a result comes from: code, packages, machine. Recorded beside it and compared; never part of its identity."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gyges.studies.identity import digest
from gyges.studies.results.store import ResultRecord
from gyges.studies.step import Step

NAMED = ("gyges", "inspect-ai", "numpy", "peft", "tokenizers", "torch", "transformers", "trl")


def provenance(step: Step) -> dict[str, Any]:
    """What made a result: digest of the step's source, git commit, packages, Python, machine, resources."""
    return {
        "source": source_digest(step), "git": git_state(), "packages": packages(), "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "resources": step.resources.model_dump(),
    }  # fmt: skip


def drift(step: Step, record: ResultRecord) -> str:
    """What has changed since a result was made, in words; empty when nothing has."""
    changed = []
    if record.provenance.get("source") != source_digest(step):
        changed.append(f"the code of {type(step).__module__.rpartition('.')[0]}")
    then, today = record.provenance.get("packages", {}), packages()
    changed += [f"{n} {then[n]} -> {today[n]}" for n in sorted(then) if n in today and then[n] != today[n]]
    return ", ".join(changed)


def source_digest(step: Step) -> str:
    """Digest of the Python files in the folder of the module that defines the step."""
    return _digest_of(type(step).__module__)


@cache
def _digest_of(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return ""
    own = Path(file)
    # A step in a package stands for the package; one in a study's file stands for that file alone.
    files = sorted(own.parent.rglob("*.py")) if (own.parent / "__init__.py").exists() else [own]
    return digest(b"".join(path.read_bytes() for path in files))[:12]


@cache
def git_state() -> str:
    """The commit of the folder one works in, with a digest of what is not committed; empty outside of a repository."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("diff", "HEAD")
    return f"{commit.strip()}+{digest(changes)[:8]}" if changes.strip() else commit.strip()


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


@cache
def packages() -> dict[str, str]:
    """Versions of the packages that results hang on, those that are installed."""
    found = {(d.metadata["Name"] or "").lower(): d.version for d in distributions()}
    return {name: found[name] for name in NAMED if name in found}
