"""A command's side of the local socket: ask the running program, get an answer or a failure with a code.

Synchronous and of the standard library, so that a one-shot command starts quickly.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from schemas.failures import Away, Failure

ANSWER_WITHIN: Final = timedelta(seconds=60)
"""Longer than any command may take: one that waits for an agency must say so and return."""


class NotRunning(Away):
    """Nothing listens on the socket."""

    code = "not_running"


class CommandFailed(Failure):
    """The running program refused or failed; `reported` is its code and `message` what it says to the person."""

    code = "command_failed"

    def __init__(self, reported: str, message: str, status: int) -> None:
        super().__init__(f"{reported}: {message}" if message else reported)
        self.reported = reported
        self.message = message
        self.status = status


class CommandClient:
    """Sends commands to the program that listens on `path`; one connection a command."""

    def __init__(self, path: Path, *, timeout: timedelta = ANSWER_WITHIN) -> None:
        self._path = path
        self._timeout = timeout

    def ask(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Run a command with JSON arguments; gives back its JSON answer.

        Raises: NotRunning, saying what to do; CommandFailed.
        """
        connection = _UnixConnection(self._path, self._timeout.total_seconds())
        body = json.dumps(dict(arguments or {}), allow_nan=False).encode()
        try:
            connection.request("POST", f"/{command}", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            raw = response.read()
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning("nothing listens on the command socket; start the program (run), then try again") from None
        except PermissionError:
            raise CommandFailed(
                "not_permitted", "the command socket belongs to another user; run this as that user", 403
            ) from None
        except TimeoutError:
            raise NotRunning("the program did not answer in time; look at its log, then try again") from None
        except (OSError, http.client.HTTPException):
            raise NotRunning("the program closed the connection; look at its log, then try again") from None
        finally:
            connection.close()
        return _answer(response.status, raw)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


def _answer(status: int, raw: bytes) -> Any:
    try:
        body = json.loads(raw)
    except ValueError:
        raise CommandFailed("answer_malformed", "the program's answer cannot be read", status) from None
    if status == http.client.OK:
        return body
    error = body.get("error", {}) if isinstance(body, dict) else {}
    raise CommandFailed(str(error.get("code", "answer_malformed")), str(error.get("message", "")), status)
