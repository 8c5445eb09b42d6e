"""A pack's TOML files as strict models: what does not fit is refused with the file, the line and the key.

Owns how a mistake is told. Refuses to know what any file is about.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from broker.node.policy import PolicyInvalid

_SAYS: Final = {"extra_forbidden": "is not a key of this file", "missing": "is missing"}


class Table(BaseModel):
    """A table of a pack's file: frozen, strict, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


T = TypeVar("T", bound=Table)


def read_file(name: str, raw: bytes, model: type[T]) -> T:
    """The contents of a TOML file.

    Raises:
        PolicyInvalid: it is not UTF-8, not TOML, or a key does not hold; the text says file, line and key.
    """
    try:
        text = raw.decode()
        # As JSON, because there a word of a closed list and a day are texts also to a strict model.
        written = json.dumps(tomllib.loads(text), default=_day)
    except UnicodeDecodeError:
        raise PolicyInvalid(f"{name}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(f"{name}: not TOML: {error}") from None
    except RecursionError:
        raise PolicyInvalid(f"{name}: tables within tables without end") from None
    try:
        return model.model_validate_json(written)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        said = _SAYS.get(first["type"], first["msg"].lower())
        raise PolicyInvalid(f"{place(name, text, first['loc'])}: {key} {said}") from None


def place(name: str, text: str, steps: Sequence[str | int]) -> str:
    """Where a key stands in a file, for people: the line of the key, else of the table that it should stand in.

    Args:
        steps: the way to it, such as `("agreement", 1, "valid_from")`.
    """
    lines = text.splitlines()
    at = 0
    for number, step in enumerate(steps):
        if isinstance(step, int):
            tables = [line for line in range(len(lines)) if lines[line].strip() == f"[[{steps[number - 1]}]]"]
            at = tables[step] if step < len(tables) else at
            continue
        key = re.compile(rf'\s*"?{re.escape(step)}"?\s*=|\s*\[([^\[\]]+\.)?"?{re.escape(step)}"?\]')
        at = next((line for line in range(at, _end(lines, at, number)) if key.match(lines[line])), at)
    return f"{name}, line {at + 1}"


def places(name: str, text: str, table: str, count: int) -> tuple[str, ...]:
    """Where each of so many tables `[[table]]` of a file begins, for people; the file alone if they stand otherwise."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == f"[[{table}]]"]
    return tuple(f"{name}, line {number}" for number in lines) if len(lines) == count else (name,) * count


def _end(lines: list[str], start: int, depth: int) -> int:
    """The end of the table that begins at `start`; at the top any table may still come."""
    if depth == 0:
        return len(lines)
    return next((line for line in range(start + 1, len(lines)) if lines[line].startswith("[")), len(lines))


def _day(value: object) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise TypeError
