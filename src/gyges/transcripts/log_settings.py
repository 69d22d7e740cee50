"""What models were asked with, as Inspect's logs say it: their own arguments, and the options of generation that can change an answer."""

import json
from collections.abc import Iterable

from inspect_ai.log import EvalLog

ASKED = (
    "temperature", "top_p", "top_k", "max_tokens", "seed", "system_message", "stop_seqs", "frequency_penalty", "presence_penalty",
    "reasoning_effort", "reasoning_tokens",
)  # fmt: skip
SECRET = ("key", "token", "secret", "password")
"""What the names of arguments hold that nobody prints."""


def settings_of(log: EvalLog) -> dict[str, str]:
    """The settings of a log, by name."""
    config = log.plan.config.model_dump(exclude_none=True)
    asked = {name: config[name] for name in ASKED if name in config}
    own = {k: v for k, v in log.eval.model_args.items() if not any(word in k.lower() for word in SECRET)}
    return {name: json.dumps(value, default=str).strip('"') for name, value in {**own, **asked}.items()}


def told_apart(logs: Iterable[EvalLog]) -> dict[str, str]:
    """What the model of each log is called, by the log's place: its name and, where it was run with several settings, those in which its runs differ."""
    logs = list(logs)
    by_model: dict[str, list[dict[str, str]]] = {}
    for log in logs:
        by_model.setdefault(log.eval.model, []).append(settings_of(log))
    return {log.location: _called(log, by_model[log.eval.model]) for log in logs}


def _called(log: EvalLog, every: list[dict[str, str]]) -> str:
    own, names = settings_of(log), dict.fromkeys(name for settings in every for name in settings)
    differing = [name for name in names if len({settings.get(name) for settings in every}) > 1]
    told = ", ".join(f"{name}={own.get(name, 'default')[:40]}" for name in differing)
    return f"{log.eval.model} ({told})" if told else log.eval.model
