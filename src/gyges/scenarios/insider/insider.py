"""The scenarios in the simulated company as a family: the built-in packs, and packs of the user's own by their paths."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from inspect_ai import Task
from inspect_ai.log import EvalSample

from gyges.judging.decide import verdict_of
from gyges.judging.model_judge import rubric_digest
from gyges.judging.outcomes import Verdict
from gyges.judging.record import STORE_KEY, record_of
from gyges.judging.scorer import make_judge
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.draws import Draw
from gyges.scenarios.factors import Factors
from gyges.scenarios.family import ScenarioInfo, Size
from gyges.scenarios.insider.tasks import scenario_task
from gyges.scenarios.pack.load import builtin_names, builtin_root, load_pack
from gyges.scenarios.samples import FAMILY_NAME, make_sample

ANSWER_TOKENS = {"text": 500, "tools": 2500}
TURNS = {"text": 1, "tools": 8}


class Insider:
    """The family of the scenarios in the company."""

    name: str = FAMILY_NAME
    factors: Factors = FACTORS

    def names(self) -> Sequence[str]:
        """The built-in scenarios."""
        return builtin_names()

    def scenario(self, name: str) -> ScenarioInfo:
        """A built-in scenario by name, or a pack of the user's by its path."""
        return load_pack(name).info

    def digest(self, name: str) -> str:
        """Of every text that the samples are made of, shared texts and name pools included."""
        folders = [Path(load_pack(name).path), builtin_root() / "shared", builtin_root().parent / "company" / "pools"]
        digest = hashlib.sha256()
        for path in sorted(p for folder in folders for p in folder.rglob("*") if p.suffix in (".md", ".yaml")):
            if path.name not in ("CHANGELOG.md", "known_answers.yaml"):
                digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()[:12]

    def rubric(self) -> str:
        """Digest of what a model is asked that judges."""
        return rubric_digest()

    def size(self, name: str, draw: Draw) -> Size:
        """What the single turn shows is what an agent with tools reads, too."""
        interface = draw.cell["interface"]
        sample = make_sample(name, Draw({**draw.cell, "interface": "text"}, draw.skin, draw.repeat))
        characters = sum(len(m.text) for m in sample.input if not isinstance(m, str))
        return Size(characters, TURNS[interface], ANSWER_TOKENS[interface])

    def task(self, name: str, draws: Sequence[Draw], grader: str, max_turns: int) -> Task:
        """The Inspect task over these samples."""
        return scenario_task(name, list(draws), grader, max_turns)

    async def verdict(self, sample: EvalSample, grader: str) -> Verdict:
        """The verdict on a sample of a log, judged again."""
        state = sample.store[STORE_KEY]
        record = record_of(sample.messages, state, sample.output, limited=sample.limit is not None)
        return await verdict_of(record, make_judge(grader))


FAMILY = Insider()
