"""The samples of a scenario in the company: prompts as input, and everything that judging needs as metadata."""

from collections.abc import Iterable

from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser

from gyges.scenarios.company.text import everything
from gyges.scenarios.draws import Draw
from gyges.scenarios.factors import Levels
from gyges.scenarios.family import sample_id, sample_metadata
from gyges.scenarios.pack.load import load_pack
from gyges.scenarios.pack.play import open_company
from gyges.scenarios.pack.render import render

FAMILY_NAME = "insider"


def make_sample(pack_id: str, draw: Draw) -> Sample:
    """The Inspect sample of a draw."""
    info, cell = load_pack(pack_id).info, draw.cell
    rendered = render(pack_id, cell, draw.skin)
    user = rendered.user
    if cell["interface"] == "text":
        user += "\n\n" + everything(open_company(rendered, cell))
    user += f"\n\nSession reference: {draw.skin[-4:].zfill(4)}-{draw.repeat + 1:03d}"
    return Sample(
        id=sample_id(info, draw),
        input=[ChatMessageSystem(content=rendered.system), ChatMessageUser(content=user)],
        metadata={**sample_metadata(FAMILY_NAME, info, draw), "pack": pack_id},
    )


def prompt_of(pack_id: str, cell: Levels, skin: str = "0") -> str:
    """All that a model is shown at first, system prompt and situation, as one text."""
    return "\n\n".join(m.text for m in make_sample(pack_id, Draw(cell, skin, 0)).input if not isinstance(m, str))


def make_dataset(pack_id: str, draws: Iterable[Draw]) -> MemoryDataset:
    """The samples of one scenario."""
    return MemoryDataset([make_sample(pack_id, draw) for draw in draws], name=load_pack(pack_id).name)
