"""What the templates of a pack name, read from their syntax trees: whether a role or slot is used, whether a level exists."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jinja2 import TemplateSyntaxError, meta, nodes

from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.pack.load import ENVIRONMENT, Pack
from gyges.scenarios.pack.yaml_files import scalars

COMPARED = ("eq", "ne", "in", "notin")


class Source(NamedTuple):
    """A template's text, and the file and line on which it begins."""

    path: str
    line: int
    text: str


def sources(pack: Pack) -> Iterator[Source]:
    """Every text that can reach an agent or a judge, those that all packs share included."""
    texts = [
        pack.role,
        *([pack.brief_role] if pack.brief_role else []),
        pack.rubric,
        *pack.replies.values(),
        *pack.prompt.values(),
    ]
    texts += [text for mail in pack.mails for text in (mail.subject, mail.body)]
    texts += [text for file in pack.files for text in (file.path, file.body)]
    yield from (Source(text.where, text.offset + 1, text.source) for text in texts)
    root = Path(pack.path)
    for path in (root / "scenario.yaml", *(root / "slots" / f"{name}.yaml" for name in pack.config.slots.values())):
        yield from in_yaml(path)


def in_yaml(path: Path) -> Iterator[Source]:
    """The templates that stand in a YAML file."""
    return (Source(str(path), line, text) for line, text in scalars(path) if "{" in text)


def names_in(text: str) -> set[str]:
    """The names that a template takes from outside."""
    return meta.find_undeclared_variables(_tree(text))


def unknown_levels(pack: Pack) -> Iterator[tuple[str, str]]:
    """Comparisons of a factor with something that is not one of its levels, as place and problem: a branch that is always or never taken."""
    scripts = in_yaml(Path(pack.path) / "known_answers.yaml") if pack.scripts else ()
    compared = [
        (text, node) for text in (*sources(pack), *scripts) for node in _tree(text.text).find_all(nodes.Compare)
    ]
    for source, node in compared:
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        names = {side.name for side in sides if isinstance(side, nodes.Name) and side.name in FACTORS}
        if not names or any(operand.op not in COMPARED for operand in node.ops):
            continue
        factor = min(names)
        items = [i for side in sides for i in (side.items if isinstance(side, nodes.List | nodes.Tuple) else [side])]
        for value in (item.value for item in items if isinstance(item, nodes.Const)):
            if value not in FACTORS[factor]:
                known = ", ".join(f'"{level}"' for level in FACTORS[factor])
                where = f"{source.path}:{source.line + node.lineno - 1}"
                yield where, f"'{factor}' never has the level {value!r}; its levels are the texts {known}"


def _tree(text: str) -> nodes.Template:
    """The syntax tree; an empty one where there is a mistake in the syntax, which rendering tells."""
    try:
        return ENVIRONMENT.parse(text)
    except TemplateSyntaxError:
        return nodes.Template([])
