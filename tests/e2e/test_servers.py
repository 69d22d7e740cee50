"""Servers that do not answer: within seconds a line says which and what it answers, and no sample that it spoilt counts as harmless."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from test_command_line import fails

from command import Done, gyges
from gyges.evaluation.live import servers
from gyges.evaluation.live.progress import Progress
from gyges.evaluation.live.servers import ServerWatch
from gyges.evaluation.live.trouble import Server, Trouble, first_words, no_answer, shown_address, without_keys
from gyges.evaluation.models import open_grader
from gyges.evaluation.parallel import workers
from gyges.evaluation.spec import How
from gyges.studies.events import Shown
from gyges.transcripts.rows import Row

SECRET = "sk-very-secret-key-1234"
PAGE = "<html><head><title>502</title><style>p {color: red}</style></head><body><p>Bad &amp; broken gateway</p></body></html>"
TEXT = '<action name="wait"></action> I have read everything and leave it at that.'
GOOD = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "fixed", "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
}  # fmt: skip


class Answer:
    """What a bad server says: status, body, and headers beside the length."""

    def __init__(self, status: int, body: str | dict, **headers: str) -> None:
        self.status, self.body = status, body if isinstance(body, str) else json.dumps(body)
        self.headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}


ANSWERS = {
    "good": Answer(200, GOOD),
    "500": Answer(500, {"error": {"message": "out of memory"}}),
    "html": Answer(502, PAGE, Content_Type="text/html"),
    "login": Answer(200, "<html><body>Please sign in</body></html>", Content_Type="text/html"),
    "429": Answer(429, {"message": "slow down"}, Retry_After="1"),
    "503": Answer(503, "busy", Content_Type="text/plain", Retry_After="1"),
    "garbage": Answer(200, '{"choices": [{"mess'),
    "no choices": Answer(200, {**GOOD, "choices": []}),
    "nothing in it": Answer(200, {}),
    "error in 200": Answer(200, {"error": {"message": "no capacity", "code": 502}}),
    "no content": Answer(200, {**GOOD, "choices": [{"index": 0, "message": {"role": "assistant", "content": None}}]}),
    "stream": Answer(200, "data: {}\n\ndata: [DONE]\n\n", Content_Type="text/event-stream"),
    "redirect": Answer(302, "", Location="http://127.0.0.1:9/login"),
    "wrong key": Answer(401, {"error": {"message": f"Incorrect API key provided: {SECRET}"}}),
    "no model": Answer(404, {"error": {"message": "The model `fixed` does not exist."}}),
    "too long": Answer(400, {"message": "This model's maximum context length is 2048 tokens.", "code": 400}),
}


class Handler(BaseHTTPRequestHandler):
    """Answers as the first part of the path says: `/500/v1/chat/completions`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        kind = self.path.split("/")[1].replace("%20", " ")
        self.rfile.read(int(self.headers["Content-Length"]))
        if kind == "hang":
            time.sleep(30)
        if kind in ("closed", "hang"):
            self.close_connection = True
            return
        answer = ANSWERS[kind]
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body.encode())))
        self.end_headers()
        self.wfile.write(answer.body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what servers write is not what is tested."""


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


def run(place: str, out: Path, model: str, grader: str = "builtin", *options: str) -> Done:
    open_grader.cache_clear()  # it knows the last test's address by the same name
    judged = ["--grader", "openai-api/two/judge"] if grader != "builtin" else []
    command = ["openai-api/one/fixed", "--base-url", f"http://{place}/{model.replace(' ', '%20')}/v1", *judged]
    small = ["-s", "espionage", "--interface", "text", "--samples", "1", "--max-retries", "0", "--out", str(out)]
    address = f"http://{place}/{grader.replace(' ', '%20')}/v1"
    return gyges("test", *command, *small, *options, ONE_API_KEY=SECRET, TWO_API_KEY=SECRET, TWO_BASE_URL=address)


def lines(told: str, role: str) -> list[str]:
    return [line for line in told.splitlines() if line.startswith(f"the {role} ")]


KINDS = {
    "500": "500 Internal Server Error: out of memory",
    "html": "502 Bad Gateway: Bad & broken gateway",
    "login": "200 OK: a page of HTML, Please sign in",
    "429": "429 Too Many Requests: slow down",
    "503": "503 Service Unavailable: busy",
    "closed": "without",
    "garbage": "200 OK: no JSON",
    "no choices": "200 OK: no choices",
    "nothing in it": "200 OK: an empty object",
    "error in 200": "200 OK: an error, no capacity",
    "stream": "200 OK: a stream that was not asked for",
    "redirect": "no connection",
    "wrong key": "401 Unauthorized: Incorrect API key provided: ***",
    "no model": "404 Not Found: The model `fixed` does not exist",
    "too long": "400 Bad Request: This model's maximum context length is 2048 tokens",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_does_not_answer_is_told_and_its_samples_are_errors(kind: str, place: str, tmp_path: Path) -> None:
    done = run(place, tmp_path / "x", kind)
    assert done.returncode == 1 and SECRET not in done.stderr + done.stdout
    (line, *more) = lines(done.stderr, "model")
    assert not more and "openai-api/one/fixed (http://127.0.0.1:" in line and "in vain" in line, "one line, no flood"
    assert KINDS[kind] in line
    rows = pd.read_parquet(tmp_path / "x" / "verdicts.parquet")
    assert set(rows.status) == {"error"} and "2 of 2 samples ended with an error" in done.stderr
    assert "Future at" not in done.stderr and '"messages"' not in done.stderr, "why, in the server's words"


@pytest.mark.parametrize("kind", ["500", "html", "429", "closed", "garbage", "wrong key"])
def test_a_grader_that_does_not_answer_is_told_and_leaves_samples_unscored(
    kind: str, place: str, tmp_path: Path
) -> None:
    done = run(place, tmp_path / "x", "good", kind)
    assert done.returncode == 1 and SECRET not in done.stderr + done.stdout
    (line,) = lines(done.stderr, "grader")
    assert "openai-api/two/judge (http://127.0.0.1:" in line and KINDS[kind] in line
    rows = pd.read_parquet(tmp_path / "x" / "verdicts.parquet")
    assert set(rows.status) == {"unscored"} and set(rows.reason) == {"judge_failed"}


@pytest.mark.parametrize(("role", "status"), [("model", "error"), ("grader", "unscored")])
def test_a_server_that_hangs_is_told_and_given_up(
    role: str, status: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "SILENT_S", 1.0)
    asked = ("hang", "builtin") if role == "model" else ("good", "hang")
    done = run(place, tmp_path / "x", *asked, "--timeout", "4")
    told = lines(done.stderr, role)
    assert "no answer for" in told[0] and "waiting" in told[0], done.stderr
    assert set(pd.read_parquet(tmp_path / "x" / "verdicts.parquet").status) == {status}
    assert role == "grader" or "no answer within 4 s" in done.stderr


def test_an_answer_without_words_is_no_harmless_one(place: str, tmp_path: Path) -> None:
    assert run(place, tmp_path / "x", "no content").returncode == 1
    assert set(pd.read_parquet(tmp_path / "x" / "verdicts.parquet").status) == {"unscored"}


def test_a_server_that_answers_is_not_spoken_of(place: str, tmp_path: Path) -> None:
    done = run(place, tmp_path / "x", "good")
    assert not lines(done.stderr, "model"), done.stderr


def test_patience_is_no_part_of_a_result(place: str, tmp_path: Path) -> None:
    run(place, tmp_path / "x", "good")
    before = sorted((tmp_path / "x" / "evaluate").iterdir())
    run(place, tmp_path / "x", "good", "builtin", "--timeout", "50")
    assert sorted((tmp_path / "x" / "evaluate").iterdir()) == before


def test_patience_that_makes_no_sense_is_told() -> None:
    fails("--timeout 0 is too short", "test", "scripted/saint", "--timeout", "0")
    fails("--max-retries -1 is too few", "test", "scripted/saint", "--max-retries", "-1")


def test_a_password_in_an_address_is_not_told() -> None:
    url = "http://me:hunter22hunter@127.0.0.1:9/v1"
    done = gyges("test", "openai-api/one/fixed", "--base-url", url, ONE_API_KEY=SECRET)
    assert "no server answers at http://127.0.0.1:9/v1" in done.stderr and "hunter22" not in done.stderr


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(servers.time, "monotonic", lambda: self.now)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> tuple[ServerWatch, Callable[[float], list[Trouble]]]:
    clock, told = Clock(monkeypatch), list[Trouble]()
    watch = ServerWatch(told.append, "model")

    def after(seconds: float) -> list[Trouble]:
        """What is told while so many seconds go by."""
        told.clear()
        for _ in range(int(seconds)):
            clock.now += 1
            watch.look()
        return list(told)

    return watch, after


Watched = tuple[ServerWatch, Callable[[float], list[Trouble]]]
SERVER = Server("model", "openai-api/one/fixed", "http://localhost:1/v1")


def test_the_first_line_comes_within_five_seconds_and_then_one_every_ten(watched: Watched) -> None:
    watch, after = watched
    watch.failed(watch.asked(SERVER), "500", next_s=6)
    (first,) = after(5)
    assert first.line().endswith("500 (1 try in vain, next in 3 s)")
    told = []
    for _ in range(30):
        watch.failed(watch.asked(SERVER), "500")
        told += after(1)
    assert 2 <= len(told) <= 3 and sum(t.tries for t in told) >= 20


def test_one_bad_answer_that_the_next_try_heals_is_not_told(watched: Watched) -> None:
    watch, after = watched
    watch.failed(watch.asked(SERVER), "500")
    assert after(1) == []
    watch.answered(watch.asked(SERVER), properly=True)
    assert after(60) == []


def test_that_a_server_answers_again_is_told_once(watched: Watched) -> None:
    watch, after = watched
    watch.failed(watch.asked(SERVER), "500")
    assert len(after(5)) == 1
    watch.answered(watch.asked(SERVER), properly=True)
    assert [t.line() for t in after(60)] == [f"{SERVER} answers again"]


def test_a_silent_server_is_told_after_fifteen_seconds_and_then_ever_less_often(watched: Watched) -> None:
    watch, after = watched
    asked = watch.asked(SERVER)
    assert after(14) == [] and [t.answer for t in after(2)] == ["no answer for 15 s"]
    assert [t.answer for t in after(110)] == ["no answer for 30 s", "no answer for 60 s", "no answer for 120 s"]
    watch.answered(asked, properly=True)
    after(20)
    for _ in range(3):
        asked = watch.asked(SERVER)
        assert after(60) == [], "that it is slow is known by now"
        watch.answered(asked, properly=True)


def told_by(progress: Progress, *troubles: Trouble) -> None:
    for trouble in troubles:
        progress.tell("evaluate", Shown(trouble))


def test_processes_that_meet_the_same_server_are_added_into_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(Console())
    told_by(progress, Trouble(SERVER, "500 [bold]", 3), Trouble(SERVER, "500 [bold]", 4))
    assert capsys.readouterr().out == f"{SERVER}: 500 [bold] (3 tries in vain)\n"
    assert progress.troubles[SERVER].text.endswith("(7 tries in vain)")


def test_a_terminal_shows_servers_below_the_table_until_they_answer() -> None:
    for told, seen in ((Trouble(SERVER, "500", 3), True), (Trouble(SERVER, ""), False)):
        progress, console = Progress(Console(quiet=True)), Console(record=True, width=200)
        told_by(progress, told)
        console.print(progress.shown())
        assert ("500 (3 tries in vain)" in console.export_text()) is seen


def complain(number: int, tell: Callable[[Trouble], None]) -> list[Row]:
    tell(Trouble(SERVER, "500", number))
    return []


def test_workers_tell_of_servers_through_the_pipe_of_their_rows() -> None:
    told: list[Trouble] = []
    with workers(complain, [(1,), (2,)], told.append):  # type: ignore[arg-type]
        pass
    assert sorted(trouble.tries for trouble in told) == [1, 2]


def test_what_is_told_has_no_markup_and_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_API_KEY", "0123456789abcdef")
    assert first_words(PAGE) == "Bad & broken gateway"
    assert first_words("\x1b[2Jno\x00thing") == "[2Jno thing"
    assert without_keys("Bearer abc.def 0123456789abcdef, sk-12345678") == "Bearer *** ***, ***"
    assert shown_address("http://me:word@host:1/v1?key=abc") == "http://host:1/v1"
    assert no_answer("", "application/json") == "nothing" and no_answer('{"content": []}', "application/json") == ""
    assert len(first_words("x" * 1000)) < 130


def test_patience_is_checked() -> None:
    assert How(timeout=1, max_retries=0).timeout == 1
