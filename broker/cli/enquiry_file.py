"""The file an enquiry is opened from: JSON as a person writes it, checked before it is signed and sent.

The desk checks again; here a word that is none is answered with the words there are, and the time of receipt may be
written as people write times. What a file says of a person never stands in an error.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from broker.desk.enquiry import OpenEnquiry
from schemas.failures import Failure
from schemas.messages.model import failure_of

_WORD_ERRORS: Final = ("enum", "literal_error")


class InputInvalid(Failure):
    """A file of input that is not what the command takes; the text names the field."""

    code = "input_invalid"


def read_text(path: Path) -> str:
    """A file's text, or that of standard input for `-`.

    Raises:
        InputInvalid: it cannot be read, or is not UTF-8.
    """
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except OSError as error:
        raise InputInvalid(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputInvalid(f"{path} is not UTF-8 text") from None


def read_enquiry(path: Path) -> dict[str, Any]:
    """An enquiry to be opened.

    Raises:
        InputInvalid: the file is not one; the text names the field, and the words it may hold.
    """
    try:
        members = json.loads(read_text(path))
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputInvalid(f"{path} is not JSON{where}") from None
    if not isinstance(members, dict):
        raise InputInvalid(f"{path} is not a JSON object")
    if isinstance(members.get("received_at"), str):
        members["received_at"] = _milliseconds(members["received_at"])
    try:
        OpenEnquiry.model_validate_json(json.dumps(members))
    except ValidationError as error:
        raise InputInvalid(_said(error)) from None
    return members


def _milliseconds(written: str) -> int:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputInvalid("field received_at is no time such as 2026-03-02T09:30:00Z, with Z or an offset")
    return int(at.timestamp() * 1000)


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    said = failure_of(OpenEnquiry, error)
    if first["type"] in _WORD_ERRORS:
        return f"{said.detail.partition(' (')[0]} is not one of {first['ctx']['expected']}"
    return f"{said.detail} [{said.code}]" if said.detail else said.code
