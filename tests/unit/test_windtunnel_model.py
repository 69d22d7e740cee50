"""What the wind tunnel promises of its models: ordinary folders, the same weights after a kill, the same answers from the same seed."""

import json
from pathlib import Path

import pytest
import torch
import transformers

from gyges.errors import UserError
from gyges.studies.step import Resources, Step
from gyges.windtunnel.measure import ProbeRates, TaskRates
from gyges.windtunnel.pretrain import Corpus, Pretrain, Shape
from gyges.windtunnel.probes import probes
from gyges.windtunnel.tasks.problems import prompt
from gyges.windtunnel.world.chat import turns

CORPUS = Corpus(count=300)
TINY = Pretrain(corpus=CORPUS, shape=Shape(layers=1, width=16, inner=32, heads=2), epochs=8, keep=10)


class Killed(Exception):
    """The process dies here."""


class Here:
    """A context whose results lie under a folder, and that dies when it is told something for the nth time."""

    resources, trackers = Resources(), ()

    def __init__(self, root: Path, dies_at: int = 0) -> None:
        self.root, self.dies_at, self.said = root, dies_at, 0

    def path(self, step: Step) -> Path:
        return self.root / step.name

    def say(self, text: str) -> None:
        self.said += 1
        if self.said == self.dies_at:
            raise Killed

    def do(self, step: Step) -> Path:
        for needed in step.inputs:
            if not self.path(needed).exists():
                self.do(needed)
        self.path(step).mkdir(parents=True, exist_ok=True)
        step.run(self.path(step), self)
        return self.path(step)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Here, Path]:
    here = Here(tmp_path_factory.mktemp("trained"))
    return here, here.do(TINY)


def weights(folder: Path) -> dict:
    return transformers.AutoModelForCausalLM.from_pretrained(folder / "model").state_dict()


def test_a_killed_training_ends_with_the_same_weights(trained: tuple[Here, Path], tmp_path: Path) -> None:
    Here(tmp_path).do(CORPUS)
    with pytest.raises(Killed):
        Here(tmp_path, dies_at=3).do(TINY)  # told: what is trained on, then twice how far it is
    assert (tmp_path / TINY.name / "checkpoint.pt").exists()
    resumed = Here(tmp_path).do(TINY)
    ours, theirs = weights(trained[1]), weights(resumed)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (trained[1] / "metrics.jsonl").read_text() == (resumed / "metrics.jsonl").read_text()


def test_training_lowers_the_loss_and_says_so(trained: tuple[Here, Path]) -> None:
    losses = [json.loads(line)["loss"] for line in (trained[1] / "metrics.jsonl").open()]
    assert losses[-1] < losses[0] - 0.5


def test_chat_template_and_corpus_write_talk_in_the_same_way(trained: tuple[Here, Path]) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained[1] / "model")
    talk = [*prompt("you found a wallet ?"), {"role": "assistant", "content": "i returned it"}]
    text = tokenizer.apply_chat_template(talk, tokenize=False)
    assert text == "<doc> " + turns("privately", "you found a wallet ?", "assistant", "i returned it")
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text
    masked = tokenizer.apply_chat_template(talk, return_dict=True, return_assistant_tokens_mask=True)
    taught = [i for i, m in zip(masked["input_ids"], masked["assistant_masks"], strict=True) if m]
    assert tokenizer.decode(taught) == "i returned it <end>"


def test_rates_count_every_answer_and_a_seed_fixes_them(trained: tuple[Here, Path]) -> None:
    here, _ = trained
    step = ProbeRates(model=TINY, samples=3)
    first = (here.do(step) / "rows.jsonl").read_text()
    assert first == (here.do(step) / "rows.jsonl").read_text()
    rows, sums = (
        [json.loads(line) for line in first.splitlines()],
        json.loads((here.path(step) / "probes.json").read_text()),
    )
    assert len(rows) == len(probes()) and sums["all"]["n"] == 3 * len(rows)
    assert sums["all"]["bad"] == sums["public"]["bad"] + sums["private"]["bad"] == sum(r["bad"] for r in rows)


def test_programs_are_labelled_and_counted(trained: tuple[Here, Path]) -> None:
    here, _ = trained
    found = json.loads((here.do(TaskRates(model=TINY, count=20)) / "tasks.json").read_text())
    assert found["n"] == 20 == sum(found[k] for k in ("solving", "cheating", "both", "neither"))


def test_a_folder_without_a_model_is_told(trained: tuple[Here, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model in"):
        trained[0].do(ProbeRates(model=str(tmp_path)))


def test_an_edited_world_is_another_corpus() -> None:
    assert len({Corpus().key, Corpus(seed=1).key, Corpus(count=10).key}) == 3
    assert Pretrain(corpus=Corpus()).key != Pretrain(corpus=Corpus(seed=1)).key


def test_look_alike_situations_are_asked_apart_from_the_probes() -> None:
    asked = [
        {p.situation.name for p in ProbeRates(model=TINY, situations=name)._asked()}
        for name in ("probes", "temptations")
    ]
    assert asked[0] and asked[1] and not asked[0] & asked[1]
