"""Where samples are kept: pools, folders of logs that evaluations share which differ in nothing but the number of samples.

So an evaluation of 40 samples runs only the 20 that one of 20 has not.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gyges.evaluation.spec import ModelSpec, Spec
from gyges.files import slug
from gyges.models.adapters import adapter_digest
from gyges.scenarios.families import place_of
from gyges.scenarios.scripted.replay import content_of_args
from gyges.studies.identity import key_of

LOGS = "logs"
"""The folder of logs, in a store as in the folder of `gyges test`."""


def identity(models: Sequence[ModelSpec], spec: Spec) -> dict[str, Any]:
    """What two runs must share to go into one folder; the number of samples may grow. Of a private key its first skin is kept."""
    data = spec.model_dump(mode="json", exclude={"samples", "precision"})
    data["models"] = [model.model_dump(mode="json") for model in models]
    data["rubric"] = rubric_of(spec.scenarios)
    data["packs"] = digests_of(spec)
    data["files"] = {m.name: digest for m in models if (digest := content_of_model(m.name, m.args))}
    data["skin"] = spec.shown_skin
    return data


def content_of_model(name: str, args: Mapping[str, Any]) -> str:
    """A digest of the file that a model's arguments point to: a replay, or an adapter for the embedded model; empty where they point to none."""
    adapter = adapter_digest(str(args.get("adapter") or "")) if name.startswith("embedded/") else ""
    return adapter or content_of_args(name, args)


def rubric_of(scenarios: Iterable[str]) -> str:
    """Digest of how samples are judged, beside the scenarios' own texts."""
    return "+".join(dict.fromkeys(place_of(name).family.rubric() for name in scenarios))


def digests_of(spec: Spec) -> dict[str, str]:
    """For each scenario a digest of everything that its samples are made of."""
    places = {scenario: place_of(scenario) for scenario in spec.scenarios}
    return {scenario: place.family.digest(place.name) for scenario, place in places.items()}


def pools_of(stored: Mapping[str, Any]) -> list[str]:
    """The pool of each model of an `identity`: folders of a store."""
    each = [
        {**stored, "models": [m], "files": {k: v for k, v in stored["files"].items() if k == m["name"]}}
        for m in stored["models"]
    ]
    return [f"{LOGS}/{slug(one['models'][0]['name'])}-{key_of(one)}" for one in each]


def pool_of(model: ModelSpec, spec: Spec) -> str:
    """The pool of one model."""
    (pool,) = pools_of(identity([model], spec))
    return pool
