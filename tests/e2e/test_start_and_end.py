"""How a command starts and ends: quickly where nothing is run, and never with an exit code that means something else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from command import gyges
from gyges.pages import index

LIGHT = {"annotated_doc", "gyges", "rich", "shellingham", "typer", "yaml", "cython_runtime"}
"""All packages that may stand behind `--help` and `--version`: no Inspect, torch, ray, pandas, NumPy, pydantic."""
FOR_A_COMMAND = LIGHT | {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
LOADED = """
import atexit, json, sys
names = lambda: {m.partition(".")[0] for m in sys.modules if m[0] != "_"}
before = names()
atexit.register(lambda: print("\\n" + json.dumps(sorted(n for n in names() - before if n not in sys.stdlib_module_names))))
from gyges.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [("--version", LIGHT), ("--help", LIGHT), ("test --help", FOR_A_COMMAND), ("compare --help", FOR_A_COMMAND)],
)
def test_help_and_version_load_nothing_heavy(arguments: str, allowed: set[str]) -> None:
    command = [sys.executable, "-c", LOADED, *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1])) - allowed == set()


def in_ascii(*arguments: bytes | str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command where Python can read ASCII alone, in what it is called with and in the names of files."""
    env = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "gyges", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, cwd=cwd, timeout=120)


TEST = ("test", "scripted/saint", "-s", "blackmail", "--interface", "text", "--samples", "1", "--out")


def test_a_name_that_the_locale_cannot_read_is_one_line(tmp_path: Path) -> None:
    done = in_ascii(*TEST, "Ergebnisse-é-日本".encode(), cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "LC_ALL=C.UTF-8" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gyges", *TEST, b"caf\xe9"], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 2 and "caf\\xe9" in done.stderr and done.stderr.count("\n") == 1


def test_the_c_locale_itself_is_no_obstacle(tmp_path: Path) -> None:
    env = os.environ | {"LC_ALL": "C"}
    command = [sys.executable, "-m", "gyges", *TEST, "Ergebnisse-é-日本"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "Ergebnisse-é-日本" / "report.html").exists()


def test_a_terminal_without_a_letter_gets_a_stand_in(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    done = in_ascii("report", "plain", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "fault", [ValueError("two\nlines"), UnicodeEncodeError("ascii", "é", 0, 1, "no"), KeyError("x")]
)
def test_a_fault_of_ours_is_one_line_and_never_exit_code_one(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(index, "write_contents", broken)
    done = gyges("index", tmp_path)
    assert done.returncode == 70
    assert done.stderr.count("\n") == 1 and type(fault).__name__ in done.stderr
    told = Path(done.stderr.split()[-1])
    assert "Traceback" in told.read_text(encoding="utf-8")
    told.unlink()
