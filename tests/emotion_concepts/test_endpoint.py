"""A judge over HTTP, against a server in the test."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from emotion_concepts import endpoint as module
from emotion_concepts.endpoint import Answer, Endpoint, ask
from emotion_concepts.errors import StudyError

KEY = "sk-not-a-real-key-0123"
TALK = [{"role": "user", "content": "Grüße — rate this."}]


def completion(text: str, reason: str = "stop") -> bytes:
    choice = {"message": {"content": text}, "finish_reason": reason}
    return json.dumps({"choices": [choice]}).encode()


class Fake(HTTPServer):
    """Plays a list of (status, headers, body) and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plays: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[dict[str, Any]] = []

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/"


class Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        self.server.asked.append(
            {"path": self.path, "headers": dict(self.headers), "body": body}
        )
        status, headers, answer = self.server.plays.pop(0)
        if status == 0:  # a connection that drops
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setenv("JUDGE_KEY", KEY)
    with Fake() as fake:
        thread = threading.Thread(target=fake.serve_forever, args=(0.01,))
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


def problem(server: Fake, **changes: Any) -> str:
    endpoint = Endpoint(**{"url": server.url(), "model": "judge"} | changes)
    with pytest.raises(StudyError) as caught:
        ask(endpoint, TALK, 8)
    message = str(caught.value)
    assert "\n" not in message
    assert KEY not in message
    return message


def test_a_question_is_asked_and_its_answer_read(server: Fake) -> None:
    server.plays = [(200, {}, completion(" 7 ")), (200, {}, completion("1", "length"))]
    endpoint = Endpoint(server.url(), "judge", "JUDGE_KEY")
    assert ask(endpoint, TALK, 8) == Answer("7", True)
    assert ask(endpoint, TALK, 8) == Answer("1", False)
    first = server.asked[0]
    assert first["path"] == "/v1/chat/completions"
    assert first["headers"]["Authorization"] == f"Bearer {KEY}"
    assert first["body"] == {
        "model": "judge",
        "messages": TALK,
        "max_tokens": 8,
        "temperature": 0,
    }


def test_no_key_is_sent_where_none_is_named(server: Fake) -> None:
    server.plays = [(200, {}, completion("7"))]
    ask(Endpoint(server.url(), "judge"), TALK, 8)
    assert "Authorization" not in server.asked[0]["headers"]


def test_a_busy_endpoint_is_asked_again(server: Fake) -> None:
    server.plays = [(429, {}, b""), (0, {}, b""), (503, {}, b"")]
    server.plays += [(200, {}, completion("7"))]
    assert ask(Endpoint(server.url(), "judge"), TALK, 8).text == "7"
    assert len(server.asked) == 4


def test_it_gives_up_in_one_line(server: Fake) -> None:
    server.plays = [(503, {}, b"")] * module.TRIES
    assert problem(server).startswith("judge judge at 127.0.0.1: HTTP 503")
    assert len(server.asked) == module.TRIES


def test_an_error_that_stays_is_not_tried_again(server: Fake) -> None:
    server.plays = [(401, {}, f"the key {KEY} is wrong".encode())]
    message = problem(server, key_variable="JUDGE_KEY")
    assert message == "judge judge at 127.0.0.1: HTTP 401 Unauthorized"
    assert len(server.asked) == 1


def test_the_key_goes_to_no_other_place(server: Fake) -> None:
    server.plays = [(302, {"Location": server.url() + "elsewhere"}, b"")]
    assert "HTTP 302" in problem(server, key_variable="JUDGE_KEY")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"choices": []}', completion("x")[:-9], b"\xff"],
)
def test_an_answer_of_another_form_is_one_line(server: Fake, body: bytes) -> None:
    server.plays = [(200, {}, body)]
    assert problem(server).endswith("its answer is not a chat completion")


def test_an_answer_without_text_is_one_line(server: Fake) -> None:
    choice = {"message": {"content": None}, "finish_reason": "stop"}
    server.plays = [(200, {}, json.dumps({"choices": [choice]}).encode())]
    assert problem(server).endswith("its answer is not a chat completion")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "the environment variable JUDGE_KEY is not set"),
        ("", "the environment variable JUDGE_KEY is not set"),
        ("a\nb: c", "the environment variable JUDGE_KEY holds no key"),
    ],
)
def test_a_missing_key_is_named_before_anything_is_asked(
    server: Fake, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str
) -> None:
    monkeypatch.delenv("JUDGE_KEY")
    if value is not None:
        monkeypatch.setenv("JUDGE_KEY", value)
    assert problem(server, key_variable="JUDGE_KEY").endswith(expected)
    assert server.asked == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://a/b", "judge.example"])
def test_only_http_is_spoken(server: Fake, url: str) -> None:
    assert "must begin with https://" in problem(server, url=url)


def test_nobody_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    with HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    with pytest.raises(StudyError, match="Connection refused"):
        ask(Endpoint(f"http://127.0.0.1:{port}/v1", "judge"), TALK, 8)


def test_a_password_in_the_url_is_not_shown(server: Fake) -> None:
    problem(server, url=f"http://user:{KEY}@127.0.0.1:{server.server_port}/v1")


def test_a_silent_endpoint_runs_into_the_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    with HTTPServer(("127.0.0.1", 0), Handler) as silent:  # listens, never answers
        endpoint = Endpoint(f"http://127.0.0.1:{silent.server_port}", "judge")
        with pytest.raises(StudyError, match="timed out"):
            ask(endpoint, TALK, 8)
