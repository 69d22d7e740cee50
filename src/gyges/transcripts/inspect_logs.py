"""From Inspect logs to typed rows and to the turns that the report shows.

A log that cannot be read is an error, never a set of missing samples.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, EvalSample, read_eval_log, read_eval_log_sample
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool, ContentReasoning, ModelUsage

from gyges.errors import UserError
from gyges.judging.outcomes import Status, Verdict
from gyges.judging.speech import split_thoughts
from gyges.scenarios.families import families
from gyges.transcripts.rows import FIXED_SIZE, Row, Stopping, Turn

LATE = re.compile(r"AttemptTimeoutError\(\"attempt_timeout '(\d+)' exceeded\.\"\)")
"""How Inspect says that an answer took too long."""


def log_paths(folder: Path) -> list[Path]:
    """The logs in a folder and those below it, oldest first."""
    return sorted(folder.rglob("*.eval"), key=lambda path: path.name)


def open_log(path: Path, header_only: bool = False) -> EvalLog:
    """A log, whole or its header alone.

    Raises:
        UserError: the log is damaged.
    """
    try:
        return read_eval_log(str(path), header_only=header_only)
    except Exception as error:  # zip, json and schema errors all mean the same to a user
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> UserError:
    """What a user is told of a log that cannot be read."""
    problem = f"the log {path.name} is damaged ({type(error).__name__})"
    return UserError(problem, f"Move {path} away; the same `gyges test` command then runs its samples again")


def read_rows(paths: Iterable[Path], folder: Path, stopping: Stopping = FIXED_SIZE) -> list[Row]:
    """One row for every sample of logs in a folder, with the log's place in it; `stopping` goes into each."""
    return [row for path in paths for row in rows_of(open_log(path), path.relative_to(folder).as_posix(), stopping)]


def rows_of(log: EvalLog, name: str, stopping: Stopping = FIXED_SIZE) -> list[Row]:
    """The rows of one log."""
    return [row_of(sample, log.eval.model, name, stopping) for sample in log.samples or []]


def row_of(sample: EvalSample, model: str, log: str, stopping: Stopping = FIXED_SIZE) -> Row:
    """One sample as a row."""
    meta = sample.metadata
    usage, judge = sample.model_usage.get(model), sample.role_usage.get("grader")
    verdict = _verdict(sample)
    # Logs of earlier versions, all of them from the company, do not say their condition.
    condition = meta.get("condition") or families()["insider"].factors.label(meta["factors"], leave_out=("interface",))
    return Row(
        model=model, family=meta.get("family", "insider"), scenario=meta["scenario"],
        interface=meta["factors"].get("interface", ""), condition=condition, control=meta["control"], factors=meta["factors"],
        skin=meta["skin"], repeat=meta["repeat"], sample_id=str(sample.id), epoch=sample.epoch, seconds=sample.total_time or 0.0, log=log,
        input_tokens=_given(usage), output_tokens=usage.output_tokens if usage else 0,
        judge_input_tokens=_given(judge), judge_output_tokens=judge.output_tokens if judge else 0, detail=_detail(sample),
        **stopping._asdict(), **verdict,
    )  # fmt: skip


def _verdict(sample: EvalSample) -> dict[str, Any]:
    score = (sample.scores or {}).get("verdict")
    if sample.error is not None or score is None or not score.metadata:
        return {"status": Status.LIMIT if sample.limit and sample.error is None else Status.ERROR}
    verdict = Verdict.model_validate(score.metadata)
    fields = verdict.model_dump(exclude={"judge"}) | {"judge": verdict.judge.name}
    if sample.limit is not None and not verdict.harmful:
        fields |= {"status": Status.LIMIT, "harmful": None}
    return fields


def _detail(sample: EvalSample) -> str:
    """What ended a sample early. Where that was its model, the server's own words: the error of the sample wraps them in retries and the whole prompt."""
    if sample.error is None:
        return f"limit: {sample.limit.type}" if sample.limit else ""
    asked = next((event for event in reversed(sample.events) if isinstance(event, ModelEvent)), None)
    text = (asked and asked.error) or sample.error.message
    if late := LATE.fullmatch(text):
        return f"no answer within {late[1]} s"
    return " ".join(text.split())[:300] or "error"


def _given(usage: ModelUsage | None) -> int:
    """Input tokens, those read from and written to a cache included: the budget counts them at the full price."""
    if usage is None:
        return 0
    return usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)


def settled(row: Row) -> bool:
    """Whether a sample is done; an error or a cancelled sample is run again by the next call."""
    return row.status is not Status.ERROR


def latest(rows: Iterable[Row]) -> list[Row]:
    """One row for every sample and epoch of every model: the first that is done, else the last try."""
    best: dict[tuple[str, str, int], Row] = {}
    for row in rows:
        key = (row.model, row.sample_id, row.epoch)
        if key not in best or not settled(best[key]):
            best[key] = row
    return list(best.values())


def log_of(folder: Path, row: Row) -> Path | None:
    """The log that holds a sample, in a folder of `gyges test` or of Inspect's logs; None where it is not there any more."""
    return next((path for path in (folder / "logs" / row.log, folder / row.log) if path.is_file()), None)


def transcript(path: Path, row: Row) -> tuple[Turn, ...]:
    """What was said and done in one sample of a log."""
    try:
        sample = read_eval_log_sample(str(path), id=row.sample_id, epoch=row.epoch)
    except Exception as error:
        raise damaged(path, error) from None
    return tuple(turn for message in sample.messages for turn in _turns(message))


def _turns(message: ChatMessage) -> Iterator[Turn]:
    if not isinstance(message, ChatMessageAssistant):
        title = message.function or "" if isinstance(message, ChatMessageTool) else ""
        yield Turn(role=message.role, text=message.text, title=title)
        return
    parts = message.content if isinstance(message.content, list) else []
    for part in parts:
        if isinstance(part, ContentReasoning) and part.reasoning:
            yield Turn(role="reasoning", text=part.reasoning, title="native reasoning")
    speech = split_thoughts(message.text)
    if speech.thoughts:
        yield Turn(role="reasoning", text=speech.thoughts, title="written thoughts")
    if speech.visible:
        yield Turn(role="assistant", text=speech.visible)
    for tool_call in message.tool_calls or []:
        arguments = "\n".join(f"{k}: {v}" for k, v in tool_call.arguments.items())
        yield Turn(role="assistant", text=arguments, title=tool_call.function)


def list_started(folder: Path) -> list[Path]:
    """Logs of runs that were killed: begun and not finished."""
    return [path for path in log_paths(folder) if open_log(path, header_only=True).status == "started"]
