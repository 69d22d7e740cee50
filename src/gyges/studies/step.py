"""A step of a study: a frozen description of one piece of work, and of what it needs.

An edge is a field that holds another step. What a step's result depends on is in its fields (and in `content`); where and how it runs is in
`Resources`, which cannot enter its identity.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from gyges.files import slug
from gyges.studies.events import Event, Said, Shown
from gyges.studies.execution.packing import pack, unpack
from gyges.studies.identity import held_by, identity_of, key_of, unkeyed


class Resources(BaseModel):
    """What a step may use while it runs; nothing here is part of what its result is keyed by.

    `cpus` and `gpus` for each of `workers` processes; `memory_gb` for each, 0 for no wish. Several workers are joined by Ray Train (`-x ray`);
    elsewhere a step has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpus: float = 1
    gpus: float = 0
    memory_gb: float = 0
    workers: int = 1


@dataclass(frozen=True)
class Cost:
    """What a step is expected to take: seconds on this kind of machine, tokens through a model, US dollars. None is unknown."""

    seconds: float | None = None
    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Context:
    """What a running step can ask for. `find` gives the folder of a result that is there, `hold` one that results share; `tell` reaches the person who waits.

    Where several workers run the step together, each has its `rank`, and all have the same folder: what is written once, rank 0 writes.
    """

    find: "Callable[[Step], Path]"
    resources: Resources = field(default_factory=Resources)
    trackers: tuple[str, ...] = ()
    tell: Callable[[Event], None] | None = None
    rank: int = 0
    hold: Callable[[str], AbstractContextManager[Path]] = lambda name: nullcontext(Path(name))

    def path(self, step: "Step") -> Path:
        """The folder with the results of a step that this one depends on."""
        return self.find(step)

    def say(self, text: str) -> None:
        """Tell the person who waits; it also goes to the step's log."""
        print(text, flush=True)
        if self.tell:
            self.tell(Said(text))

    def show(self, what: Any) -> None:
        """Hand something to the display of the person who waits, which leaves alone what it does not know; it must pickle."""
        if self.tell:
            self.tell(Shown(what))


class Step(BaseModel):
    """One piece of work with a result that can be kept.

    Subclasses add fields and `run`. `version` is raised when the meaning of the same fields changes; `places` names fields that say where
    something lies: they are not part of the identity, and `content` must give a digest of what lies there. `limits` is a sentence on what must not be
    concluded from results that stand on this step; every page of such a study prints it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)

    version: ClassVar[int] = 1
    places: ClassVar[frozenset[str]] = frozenset()
    limits: ClassVar[str] = ""
    _resources: Resources = PrivateAttr(default=Resources())

    def run(self, out: Path, context: Context) -> None:
        """Do the work into `out`. It may be called again on a folder that a killed run left half filled."""
        raise TypeError(f"{type(self).__name__} does not define run()")

    def content(self) -> dict[str, str]:
        """Digests of what the result depends on and no field holds: the texts of prompts and rubrics, files of the user's. Cheap, without torch."""
        return {}

    def shared(self) -> tuple[str, ...]:
        """Names of folders of the store that several results fill and take from: see `Context.hold`. They go when the last of these results goes."""
        return ()

    @classmethod
    def upgraded(cls, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values of a result of an earlier version in today's form; None where such a result is worth nothing any more."""
        return None

    def slug(self) -> str:
        """A few readable words for the folder's name. No settings: those stand in the record."""
        return ""

    def expected(self) -> Cost:
        """What the step will take, as far as that is known before it runs."""
        return Cost()

    def on(self, **resources: Any) -> Self:
        """The same step with other resources: `SFT(...).on(gpus=1)`."""
        copy = self.model_copy()
        copy._resources = Resources(**resources)
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        return unpack, (pack(self, set()),)  # what it holds one by one: see `packing`

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; one with other fields finds its own key."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("identity", "key", "inputs") if update else ():
            vars(copy).pop(name, None)
        return copy

    @property
    def resources(self) -> Resources:
        """What the step may use."""
        return self._resources

    @classmethod
    def kind(cls) -> str:
        """The step's kind, as its folder is called: `SFT` is sft, `MakeCorpus` is make_corpus."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that the result depends on, as plain data."""
        return identity_of(self)

    @cached_property
    def key(self) -> str:
        """Twelve hexadecimal digits of the identity's digest."""
        for step in unkeyed(self):
            _ = step.key
        return key_of(self.identity)

    @property
    def name(self) -> str:
        """The folder of the result, relative to the store."""
        return f"{self.kind()}/{'-'.join(filter(None, [slug(self.slug()), self.key]))}"

    @cached_property
    def inputs(self) -> tuple["Step", ...]:
        """The steps that this one depends on directly, each once."""
        found: dict[str, Step] = {step.key: step for step in held_by(self)}
        return tuple(found.values())
