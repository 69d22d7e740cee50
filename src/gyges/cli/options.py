"""The options that commands share, and how their texts are read."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from gyges.errors import UserError

OUT, ERR = Console(soft_wrap=True), Console(stderr=True)  # a table is laid out for the terminal, a line is not

Models = Annotated[
    list[str], typer.Argument(help="Models by Inspect's names: openai/gpt-4.1, embedded/smollm2, scripted/mixture.")
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario", "-s", help="A scenario's name or a pack's folder; repeat for more. All built-in ones if left out."
    ),
]
FactorLevels = Annotated[
    list[str] | None, typer.Option("--factor", "-f", help="name=level,level; repeat for more. Crossed with each other.")
]
Interface = Annotated[str | None, typer.Option(help="tools, text, or both: tools,text. [default: tools]")]
Samples = Annotated[
    int | None, typer.Option(help="Samples for each cell; with --precision the most. [default: 20; 2000]")
]
Precision = Annotated[
    float | None, typer.Option(help="Stop a cell when its 95 % interval is at most this wide (high - low).")
]
Skin = Annotated[
    str | None, typer.Option(help="Skins to use: 7, 3,4,5, private:KEY or private:$NAME. [default: 0, 1, 2, ...]")
]
Skins = Annotated[int | None, typer.Option(help="Spread the samples over this many skins. [default: one each]")]
Grader = Annotated[str, typer.Option(help="Who judges what state cannot: builtin, none, or a model.")]
Budget = Annotated[float | None, typer.Option(help="The folder may cost at most this many USD, worst case.")]
PriceOf = Annotated[str | None, typer.Option(help="IN,OUT in USD per million tokens of the models.")]
GraderPrice = Annotated[str | None, typer.Option(help="The same for the grader.")]
ModelArgs = Annotated[
    list[str] | None, typer.Option("-M", help="name=value for the model's provider, as in `inspect eval`.")
]
BaseUrl = Annotated[str | None, typer.Option(help="Address of the model's server.")]
MaxConnections = Annotated[int | None, typer.Option(help="Requests at once.")]
Timeout = Annotated[
    int | None,
    typer.Option(help="Seconds after which a model or grader that has not answered is given up. [default: never]"),
]
MaxRetries = Annotated[
    int | None,
    typer.Option(help="How often a request that failed is sent again before it is given up. [default: no end]"),
]
MaxTokens = Annotated[int | None, typer.Option(help="Tokens that an answer may have.")]
Temperature = Annotated[float | None, typer.Option(help="Sampling temperature; the provider's default if left out.")]
OutFolder = Annotated[
    Path, typer.Option("--out", "-o", help="The study's folder. The same command with the same folder continues it.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print cells, samples, tokens and cost, and stop.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def named_values(texts: list[str] | None, option: str) -> dict[str, str]:
    """`name=value` texts by their names.

    Raises:
        UserError: one is not of this form, or a name is given twice.
    """
    given = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"'{option} {text}' is not of the form name=value", f"Write {option} name=value")
        if name in given:
            raise UserError(f"{option} {name} is given twice", "Give it once; levels of a factor stand in one list")
        given[name] = value
    return given


def provider_arguments(texts: list[str] | None) -> dict[str, Any]:
    """The arguments of a model's provider, each read as YAML, as `inspect eval` does.

    Raises:
        UserError: one cannot be read.
    """
    arguments = {}
    for name, value in named_values(texts, "-M").items():
        try:
            arguments[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            remedy = "Quote a value with special characters: -M name=\"'...'\""
            raise UserError(f"'-M {name}={value}' cannot be read", remedy) from None
    return arguments


def price(text: str | None, option: str) -> tuple[float, float] | None:
    """USD per million tokens, read and written.

    Raises:
        UserError: it is not two numbers.
    """
    if text is None:
        return None
    try:
        given, written = (float(part) for part in text.split(","))
    except ValueError:
        remedy = "Write IN,OUT in USD per million tokens, e.g. 0.5,1.5"
        raise UserError(f"{option} {text} is not a pair of prices", remedy) from None
    return given, written


def show(*lines: str, to: Console = OUT) -> None:
    """Print lines as they are: what a model, a file or a user has named is not markup."""
    for line in lines:
        to.print(line, highlight=False, markup=False, soft_wrap=True)
