"""The docs as data: fenced blocks, the commands in them with what they are shown to print, and each command as its real parser reads it."""

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import typer
import yaml

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
PROGRAMS = ("gyges", "inspect")
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^(?:[\w-]+ )?\$ (.*)$")
INLINE = re.compile(r"(?<!`)`((?:gyges|inspect) [^`]+)`")


class Block(NamedTuple):
    """A fenced block."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class Command(NamedTuple):
    """A command of a page: its words, what it is shown to print, and its exit code (0 unless `echo $?` shows another)."""

    block: Block
    words: tuple[str, ...]
    printed: tuple[str, ...] = ()
    code: int = 0

    def __str__(self) -> str:
        return f"{self.block}: {shlex.join(self.words)}"


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = FENCE.finditer(text)
    return [Block(page, text.count("\n", 0, m.start()) + 1, m[2], textwrap.dedent(m[3])) for m in found]


def commands_of(page: Path) -> list[Command]:
    """The commands of Gyges and Inspect in a page's blocks, in order."""
    return [command for block in blocks_of(page) for command in _commands_in(block)]


def inline_commands(page: Path) -> list[str]:
    """Commands within sentences."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(found.split()) for found in INLINE.findall(prose)]


def _commands_in(block: Block) -> Iterator[Command]:
    if block.language == "console":
        yield from _session(block)
    elif block.language in ("", "sh", "bash"):
        yield from (Command(block, words) for words in _scripted(block.text.splitlines()))
    elif block.language == "yaml":
        lines = (line for script in _scripts_in(yaml.safe_load(block.text)) for line in _joined(script).splitlines())
        yield from (Command(block, words) for words in _scripted(lines))


def _session(block: Block) -> Iterator[Command]:
    """What is typed after a prompt, each with the lines under it; `echo $?` says what the command before it ended with."""
    typed: list[tuple[str, list[str]]] = []
    for line in _joined(block.text).splitlines():
        if prompt := PROMPT.match(line):
            typed.append((prompt[1], []))
        elif typed:
            typed[-1][1].append(line)
    for (text, printed), (after, answer) in zip(typed, [*typed[1:], ("", [])], strict=True):
        for words in _scripted([text]):
            yield Command(block, words, tuple(printed), int(answer[0]) if after == "echo $?" else 0)


def _scripted(lines: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The words of those lines that call one of our programs, without a comment, and without what follows a `||`."""
    for line in lines:
        if line.split(" ")[0] in PROGRAMS:
            words = shlex.split(line, comments=True)
            yield tuple(words[: words.index("||")] if "||" in words else words)


def _joined(text: str) -> str:
    return re.sub(r" *\\\n *", " ", text)


def _scripts_in(value: Any) -> Iterator[str]:
    """The scripts of a workflow: what stands under `run` (GitHub) or `script` (GitLab)."""
    for name, item in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        if name in ("run", "script"):
            yield item if isinstance(item, str) else "\n".join(item)
        else:
            yield from _scripts_in(item)


# --- as their parsers read them ----------------------------------------------------------------------------------------


@cache
def _programs() -> dict[str, Any]:
    from inspect_ai._cli.main import inspect

    from gyges.cli.main import app

    return {"gyges": typer.main.get_command(app), "inspect": inspect}


class Parsed(NamedTuple):
    """A command's name and the values of its parameters."""

    name: str
    values: dict[str, Any]


def parsed(words: Iterable[str]) -> Parsed:
    """A command as its own parser reads it, without running it.

    Raises:
        Exception: the parser refuses it; the message says why.
    """
    name, *rest = words
    command, context = _programs()[name], None
    while True:
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return Parsed(context.command_path, context.params)
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])


def names_and_options(text: str) -> list[str]:
    """What a command within a sentence names that does not exist: the command, or an option of it."""
    command, words = _programs()[text.split()[0]], text.split()[1:]
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return [words[0]]
        command = command.commands[words.pop(0)]
    known = {"--help", *(name for p in command.params for name in (*p.opts, *p.secondary_opts))}
    return [w for w in words if re.fullmatch(r"--?[A-Za-z][\w-]*", w) and w not in known]
