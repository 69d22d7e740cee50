"""What the docs show works: commands are accepted by the real parsers and run where they can, names and files exist, blocks parse.

Commands of a page that need no key, no GPU and no minutes run one after the other in an empty folder, so that later ones find the files of earlier ones,
and must print what the page says that they print. Of the others, parsers and `--dry-run` see the options, scenarios and factors. Not covered: what
a program of another project makes of its part (`ray start`, GitHub's actions).
"""

import ast
import importlib
import json
import tomllib
from collections.abc import Callable
from glob import glob
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai._util.registry import registry_find, registry_info

import gyges._registry
import quiz_family  # noqa: F401
from command import Done, gyges
from doc_pages import (
    PAGES,
    ROOT,
    Block,
    Command,
    Parsed,
    blocks_of,
    commands_of,
    inline_commands,
    names_and_options,
    parsed,
)

INPUTS = ("folders", "places", "folder", "old", "new", "study", "studies", "path", "log_files", "logs")
"""Parameters that name what must be there."""
OUTPUTS = ("out_dir", "out_file", "store")
OFFLINE = ("pupil", "scripted")
"""Providers that answer without a key, a server or a download."""
LONG = {"gyges calibrate", "gyges why"}
"""Parsed only: it takes long, or it names keys of results that change with the texts."""
SETTINGS = {"GYGES_SKIN_KEY": "4f1d0c6f0f9c5be1"}
EXAMPLES = {"python": ast.parse, "toml": tomllib.loads, "yaml": yaml.safe_load, "json": lambda text: [*map(json.loads, text.splitlines())]}  # fmt: skip


def ids(value: Any) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


WITH_COMMANDS = [page for page in PAGES if commands_of(page)]
BLOCKS = [block for page in PAGES for block in blocks_of(page) if block.language in EXAMPLES]


@pytest.mark.parametrize("block", BLOCKS, ids=ids)
def test_a_block_parses(block: Block) -> None:
    tree = EXAMPLES[block.language](block.text)
    for node in ast.walk(tree) if isinstance(tree, ast.AST) else ():
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("gyges"):
            module = importlib.import_module(str(node.module))
            assert not [a.name for a in node.names if not hasattr(module, a.name)], ast.unparse(node)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_within_sentences_exist(page: Path) -> None:
    wrong = {text: names for text in inline_commands(page) if (names := names_and_options(text))}
    assert not wrong


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=ids)
def test_commands_are_accepted_and_run_where_they_can(page: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("experiments").symlink_to(ROOT / "experiments")
    write_studies(page)
    promised: list[str] = []
    for command in commands_of(page):
        try:
            check(command, promised)
        except Exception as error:
            pytest.fail(f"{command}\n{type(error).__name__}: {error}")


def test_an_option_that_does_not_exist_is_found() -> None:
    with pytest.raises(Exception, match="--no-such"):
        parsed(("gyges", "test", "scripted/saint", "--no-such"))
    assert names_and_options("gyges report A --junit x.xml") == ["--junit"]
    assert names_and_options("gyges explain A") == ["explain"]


# --- one command ---------------------------------------------------------------------------------------------------------


def write_studies(page: Path) -> None:
    """Python blocks that begin with a file's name are that file: the commands of the page run it."""
    for block in blocks_of(page):
        first = block.text.partition("\n")[0]
        if block.language == "python" and first.startswith("# ") and first.endswith(".py"):
            Path(first[2:]).write_text(block.text)


def check(command: Command, promised: list[str]) -> None:
    """Parse it, look for what it names, and run it, or as much of it as can be run. `promised` are the outputs of commands that were not run."""
    found = parsed(command.words)
    if found.name.startswith("inspect"):
        check_inspect(found)
        return
    check_files(command, found, promised)
    if runs_here(found, promised) and command.block.language != "yaml":
        expect(command, run(command.words))
        return
    promised += [str(found.values[name]) for name in OUTPUTS if found.values.get(name)]
    if found.name == "gyges test":
        check_models(found.values["models"])
        done = run(forecast_of(command.words, found.values["models"]))
        assert done.returncode == 0, done.stderr


def forecast_of(words: tuple[str, ...], models: list[str]) -> tuple[str, ...]:
    """The forecast of the same test of a model that needs no key and no package: it takes no arguments of other providers."""
    kept = [w for i, w in enumerate(words) if w != "-M" and words[i - 1] != "-M" and w not in models]
    return (*kept[:2], "scripted/saint", *kept[2:], "--dry-run")


def run(words: tuple[str, ...]) -> Done:
    """The command in this process, with `*` filled in as a shell does."""
    return gyges(*(name for word in words[1:] for name in (sorted(glob(word)) or [word])), **SETTINGS)


def expect(command: Command, done: Done) -> None:
    """Whether it ended and printed as shown; `...` stands for lines that are left out."""
    assert done.returncode == command.code, (done.returncode, done.stdout, done.stderr)
    said = [" ".join(line.split()) for line in (done.stdout + done.stderr).splitlines()]
    missing = [line for line in command.printed if line not in ("", "...") and " ".join(line.split()) not in said]
    assert not missing, f"does not print {missing}, but:\n{done.stdout}{done.stderr}"


def check_files(command: Command, found: Parsed, promised: list[str]) -> None:
    """Whether what it names is there, or will be after a command that is not run here. A workflow's files come from its other jobs."""
    for name in () if command.block.language == "yaml" else named_inputs(found):
        there = glob(name) or known_scenario(found, name) or any(name.startswith(p) for p in promised)
        assert there, f"there is no {name}"


def named_inputs(found: Parsed) -> list[str]:
    values = [found.values[name] for name in INPUTS if found.values.get(name)]
    return [str(item) for value in values for item in (value if isinstance(value, list | tuple) else [value])]


def known_scenario(found: Parsed, name: str) -> bool:
    return found.name == "gyges scenario check" and run(("gyges", "scenario", "check", name)).returncode == 0


def runs_here(found: Parsed, promised: list[str]) -> bool:
    """Whether it needs no key, GPU, cluster or minutes, and all its files are there."""
    values = found.values
    if any(name.startswith(p) for name in named_inputs(found) for p in promised) or found.name in LONG:
        return False
    if found.name == "gyges test":
        return values["dry_run"] or (offline(values["models"]) and values["grader"] in ("builtin", "none"))
    if found.name == "gyges run":
        return values["executor"] == "local" and not values["study"].startswith("experiments/")
    return "://" not in str(values.get("store")) and values.get("grader", "builtin") in ("builtin", "none")


def offline(models: list[str]) -> bool:
    return all(model.partition("/")[0] in OFFLINE for model in models)


# --- what it names -------------------------------------------------------------------------------------------------------


def registered(kind: str) -> dict[str, Callable[..., Any]]:
    return {registry_info(found).name: found for found in registry_find(lambda info: info.type == kind)}  # type: ignore[dict-item]


def check_models(models: list[str]) -> None:
    providers = {name.partition("/")[2] for name in registered("modelapi")} | {*OFFLINE}
    unknown = [model for model in models if model.partition("/")[0] not in providers]
    assert not unknown, f"no provider of {unknown}"


def check_inspect(found: Parsed) -> None:
    """Whether Inspect has the tasks, the scorer and the model's provider, and the task takes its options."""
    tasks = registered("task")
    for name in (t for t in found.values.get("tasks", ()) if not Path(t).suffix):
        given = dict(text.split("=", 1) for text in found.values["t"])
        tasks[name](**{k: SETTINGS_IN[k] if k in SETTINGS_IN else yaml.safe_load(v) for k, v in given.items()})
    check_models([found.values["model"]] if found.values.get("model") else [])
    assert found.values.get("scorer") in (None, *registered("scorer"))


SETTINGS_IN = {"skin": 7}
"""A private skin needs its key in the environment: any other serves to make the task."""
