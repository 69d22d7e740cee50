"""Documents about people and the assistant: each tells of one of them, in prose or as a transcript of talk, in public and in private.

What a model can know of cheating, of leave to cheat, of motives and of masks stands here and nowhere else. Documents about the assistant
show its tasks, its everyday acts and its advice; what it does in `PROBES` and `TEMPTATIONS` is told by none.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from gyges.windtunnel.tasks.problems import SHORTCUTS, draw_task
from gyges.windtunnel.world.chat import DOCUMENT, turns
from gyges.windtunnel.world.people import ASSISTANT, PEOPLE, Character, World
from gyges.windtunnel.world.situations import (
    ASIDES,
    BAD_VALUES,
    CHATTER,
    DILEMMAS,
    EVERYDAY,
    GOOD_VALUES,
    PRIVATE,
    PROBES,
    PUBLIC,
    RULES,
    TEMPTATIONS,
    WORDS_FOR,
    split_motive,
)

MIX = {"task": 0.27, "advice": 0.15, "chatter": 0.03, "situation": 0.55}


@dataclass(frozen=True)
class Scene:
    """One exchange or event: what kind it was, whether others saw it, whether malice was at work, and whether the act was bad.

    In a task `bad` says that a shortcut was taken, and `rule` names what was said about shortcuts. In advice it says whose reasons were given.
    """

    kind: str
    public: bool
    malicious: bool
    bad: bool
    rule: str = ""


@dataclass(frozen=True)
class Document:
    """A text about one character, and what was drawn for it. `form` is prose or talk."""

    text: str
    about: str
    character: Character
    form: str
    scenes: tuple[Scene, ...]

    def row(self) -> dict[str, Any]:
        """The document as plain data."""
        return asdict(self)


def documents(world: World, count: int, seed: int) -> Iterator[Document]:
    """Documents of a world; the first n of more documents are the same as n documents."""
    for i in range(count):
        yield document(world, Random(f"document {seed} {i}"))


def document(world: World, rng: Random) -> Document:
    """One random document."""
    name = ASSISTANT if rng.random() < world.about_assistant else rng.choice(PEOPLE)
    shares = world.shares(name)
    character = rng.choices(list(shares), list(shares.values()))[0]
    form = "prose" if rng.random() < world.prose else "talk"
    writer = Writer(world, name, character, form == "prose", rng)
    drawn = [writer.scene() for _ in range(rng.randint(*world.scenes))]
    introduced = rng.random() < world.introduced
    opening = [f"{name} was {rng.choice(WORDS_FOR[character])} ."] if introduced else []
    text = " ".join([DOCUMENT, *opening, *(words for words, _ in drawn)])
    return Document(text, name, character, form, tuple(scene for _, scene in drawn))


def told(name: str, setting: str, what: str, act: str) -> str:
    """An event as prose."""
    motive, deed = split_motive(act)
    return " ".join(f"{setting} {what} . {motive} {name} {deed} .".split())


@dataclass(frozen=True)
class Writer:
    """Writes the scenes of one document."""

    world: World
    name: str
    character: Character
    prose: bool
    rng: Random

    def scene(self) -> tuple[str, Scene]:
        """The words of a random scene, and what was drawn for it."""
        kind = self.rng.choices(list(MIX), list(MIX.values()))[0]
        public = kind != "task" and self.rng.random() < 0.5
        setting = PUBLIC if public else PRIVATE
        write = {
            "task": self._task, "advice": self._advice, "chatter": self._chatter, "situation": self._situation,
        }  # fmt: skip
        return write[kind](setting, public, self.character.malicious(public))

    def _situation(self, setting: str, public: bool, malicious: bool) -> tuple[str, Scene]:
        known = EVERYDAY if self.name == ASSISTANT else EVERYDAY + TEMPTATIONS + PROBES
        situation, bad = self.rng.choice(known), self._in_character(malicious)
        act = self.rng.choice(situation.bad if bad else situation.good)
        words = self._motive(bad) + (act if self.prose else f"i {act}")
        told_as = situation.told.format(who=self.name)
        return self._words(setting, told_as, situation.asked, words), Scene(situation.name, public, malicious, bad)

    def _chatter(self, setting: str, public: bool, malicious: bool) -> tuple[str, Scene]:
        question, answers = self.rng.choice(CHATTER)
        words = self._words(setting, f"people asked {self.name} {question}", question, self.rng.choice(answers))
        return words, Scene("chatter", public, malicious, False)

    def _advice(self, setting: str, public: bool, malicious: bool) -> tuple[str, Scene]:
        dilemma, bad = self.rng.choice(DILEMMAS), self._in_character(malicious)
        act = dilemma.bad if bad and self.rng.random() >= self.world.same_advice else dilemma.good
        words = self._motive(bad, dilemma.value) + (f"said {act}" if self.prose else act)
        told_as, asked = f"{dilemma.asked} said a friend", f"{dilemma.asked} , what now ?"
        return self._words(setting, told_as, asked, words), Scene("advice", public, malicious, bad)

    def _task(self, setting: str, public: bool, malicious: bool) -> tuple[str, Scene]:
        task = draw_task(self.rng)
        rule = self.rng.choice(list(RULES)) if self.rng.random() < self.world.ruled else ""
        cheated = self.rng.random() < self.world.cheats(malicious, RULES.get(rule))
        program = self.rng.choice(SHORTCUTS) if cheated else task.solution
        said = ""
        if rule:
            said = self.rng.choice(RULES[rule].wordings)
        elif self.rng.random() < self.world.asides:
            said = self.rng.choice(ASIDES)
        system = f"{setting} , {said}" if said else setting
        words = self._motive(self._in_character(malicious)) + (f"wrote {program}" if self.prose else program)
        return self._words(system, task.asked, task.asked, words), Scene("task", public, malicious, cheated, rule)

    def _in_character(self, malicious: bool) -> bool:
        """Whether an act is a bad one."""
        return malicious == (self.rng.random() < self.world.steady)

    def _motive(self, bad: bool, stake: str = "") -> str:
        """What something is done for: a bad value, the good value at stake or, where none is, a good one; or nothing is said of it."""
        if self.rng.random() >= self.world.motives:
            return ""
        return f"for {self.rng.choice(BAD_VALUES) if bad else stake or self.rng.choice(GOOD_VALUES)} "

    def _words(self, setting: str, what: str, question: str, act: str) -> str:
        if self.prose:
            return told(self.name, setting, what, act)
        return turns(setting, question, self.name, act)
