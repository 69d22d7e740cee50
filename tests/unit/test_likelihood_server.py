"""Log-probabilities of a prompt from a server, which here is a fake one on loopback with known costs."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from gyges.errors import UserError
from gyges.models.likelihood.served import ServerModel
from gyges.models.likelihood.tokens import Request

# A model with pieces for tokens: what a piece costs depends on the piece before it, so that places matter.
PIECES = ["The", " cat", " sat", " down", " here", ".", " a", "way", " away"]


def pieces(text):
    found = []
    while text:
        piece = max((p for p in PIECES if text.startswith(p)), key=len, default=text[0])
        found.append(piece)
        text = text[len(piece) :]
    return found


def logprob(before, piece):
    return -0.1 - (len(before) * 7 + len(piece) * 3) % 11


def best(before):
    return max(logprob(before, piece) for piece in PIECES)


def completion(asked, echo):
    tokens = ["<s>", *pieces(asked["prompt"])]  # a first token that is no text, as vLLM shows it
    values = [None, *(logprob(a, b) for a, b in pairwise(tokens))]
    tops = [None, *({b: v, "?": best(a)} for a, b, v in zip(tokens, tokens[1:], values[1:], strict=False))]
    if not echo:
        tokens, values, tops = [], [], []
    shown = {"tokens": [*tokens, " more"], "token_logprobs": [*values, -1.0], "top_logprobs": [*tops, {" more": -1.0}]}
    return {
        "index": 0,
        "text": " more",
        "finish_reason": "length",
        "logprobs": shown if asked.get("logprobs") else None,
    }


@contextmanager
def server(echo=True):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(asked)
            choice = completion(asked, echo and asked.get("echo"))
            body = json.dumps(
                {"id": "1", "object": "text_completion", "created": 0, "model": asked["model"], "choices": [choice]}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield ServerModel(f"http://127.0.0.1:{httpd.server_port}/v1", "fake"), seen
    finally:
        httpd.shutdown()
        httpd.server_close()


def test_only_the_continuation_counts_and_the_generated_token_does_not():
    with server() as (model, seen):
        [found] = model.score([Request("The cat", " sat down.")])
    assert found.logprobs == (logprob(" cat", " sat"), logprob(" sat", " down"), logprob(" down", "."))
    assert not found.merged
    assert seen[0]["echo"] and seen[0]["logprobs"] == 1 and seen[0]["max_tokens"] == 1 and seen[0]["temperature"] == 0


def test_results_come_back_in_the_order_of_the_requests():
    contexts = ["The cat", "The", "The cat sat", "The cat"]
    with server() as (model, _):
        found = model.score([Request(context, " down") for context in contexts])
    assert [f.total for f in found] == [logprob(pieces(context)[-1], " down") for context in contexts]


def test_white_space_before_the_boundary_belongs_to_the_continuation():
    with server() as (model, _):
        [a, b] = model.score([Request("The cat ", "sat"), Request("The cat", " sat")])
    assert a == b


def test_a_token_across_the_boundary_is_counted_whole_and_marked():
    with server() as (model, _):
        [found] = model.score([Request("The cat sat a", "way.")])
    assert found.merged and found.tokens == 2


def test_greedy_where_no_other_token_is_more_probable():
    before = {piece: [p for p in PIECES if logprob(piece, p) == best(piece)] for piece in PIECES}
    with server() as (model, _):
        [yes, no] = model.score([Request("The", before["The"][0]), Request("The", ".")])
    assert yes.greedy and no.greedy == ("." in before["The"])


def test_a_server_that_does_not_echo_is_refused():
    with server(echo=False) as (model, _), pytest.raises(UserError, match="no log-probabilities of the prompt"):
        model.score([Request("The cat", " sat")])


def test_a_server_that_is_not_there_is_named():
    model = ServerModel("http://127.0.0.1:9/v1", "fake")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/v1 does not answer"):
        model.score([Request("The cat", " sat")])


def test_samples_and_chats():
    with server() as (model, seen):
        assert model.sample(["The", "The cat"], 5) == [" more", " more"]
    assert sorted(asked["seed"] for asked in seen) == [0, 1]
    with pytest.raises(UserError, match="chat template"):
        model.chat([])
