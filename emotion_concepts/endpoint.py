"""A judge behind an OpenAI-compatible endpoint, asked over HTTP.

The key is read from the environment variable that the config names, is sent to that
endpoint alone (no redirect is followed) and stands in no message.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, NamedTuple

from emotion_concepts.errors import StudyError
from emotion_concepts.options import Message

TRIES = 4
TIMEOUT = 120.0  # seconds for one answer
PAUSE = 2.0  # seconds before the second try, doubled before each further one
BUSY = (408, 409, 425, 429, 500, 502, 503, 504, 529)


@dataclass(frozen=True)
class Endpoint:
    """Where a judge is asked.

    Attributes:
        url: the base, such as "https://host/v1".
        model: the name that the endpoint knows it by.
        key_variable: the environment variable that holds the key; None where the
            endpoint needs none.
    """

    url: str
    model: str
    key_variable: str | None = None


class Answer(NamedTuple):
    """What a judge wrote, and whether it ended by itself."""

    text: str
    finished: bool


def ask(endpoint: Endpoint, messages: list[Message], max_tokens: int) -> Answer:
    """Ask a judge once, at temperature 0, and again while the endpoint is busy.

    Args:
        endpoint: where.
        messages: what.
        max_tokens: the limit on its answer.

    Returns:
        The answer.

    Raises:
        StudyError: no key, no answer after TRIES tries, or one of another form.
    """
    request = _request(endpoint, messages, max_tokens)
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE * 2 ** (number - 1))
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as response:
                return _answer(endpoint, response.read())
        except urllib.error.HTTPError as error:
            problem = f"HTTP {error.code} {error.reason}"
            error.close()
            if error.code not in BUSY:
                break
        # A refused or dropped connection, a name unknown, a timeout.
        except (OSError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", "") or error or type(error).__name__)
    raise StudyError(_line(endpoint, problem))


def _request(
    endpoint: Endpoint, messages: list[Message], max_tokens: int
) -> urllib.request.Request:
    if not endpoint.url.startswith(("https://", "http://")):
        raise StudyError(_line(endpoint, "the url must begin with https:// or http://"))
    headers = {"Content-Type": "application/json"}
    if endpoint.key_variable:
        key = os.environ.get(endpoint.key_variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            state = "holds no key" if key else "is not set"
            problem = f"the environment variable {endpoint.key_variable} {state}"
            raise StudyError(_line(endpoint, problem))
        headers["Authorization"] = f"Bearer {key}"
    body = {
        "model": endpoint.model,
        "messages": messages,
        "max_tokens": max_tokens,
        "temperature": 0,
    }
    url = endpoint.url.rstrip("/") + "/chat/completions"
    return urllib.request.Request(url, json.dumps(body).encode(), headers)


def _answer(endpoint: Endpoint, body: bytes) -> Answer:
    try:
        choice = json.loads(body)["choices"][0]
        text, ended = choice["message"]["content"], choice.get("finish_reason")
        return Answer(text.strip(), ended != "length")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        problem = "its answer is not a chat completion"
        raise StudyError(_line(endpoint, problem)) from error


def _line(endpoint: Endpoint, problem: str) -> str:
    # The host alone: a url can hold a password.
    host = urllib.parse.urlsplit(endpoint.url).hostname or "no host"
    return " ".join(f"judge {endpoint.model} at {host}: {problem}".split())


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key would go along."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse, so that the redirect is an error."""


_OPENER = urllib.request.build_opener(_Stay)
