"""Structured logging: one JSON object a line on standard error, of listed fields only.

A line is a past-tense fact. What may stand in it is `schemas.logfields`; what is not on that list is dropped and
counted here, whoever wrote the line. Exceptions are reduced to code, class and places: their texts stay in the process.
What libraries log is reduced to who spoke.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from schemas.failures import Failure
from schemas.logfields import may_be_logged

_EVENT = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+){0,11}")
_MAX_EVENT_CHARS: Final = 64
_UNNAMED: Final = "unnamed_event_dropped"
_MAX_PLACES: Final = 16
"""Innermost frames kept: deeper ones are the event loop's."""
_OUR_FOLDERS: Final = ("broker", "agents", "schemas", "tests")
_ALWAYS: Final = ("at", "level", "program", "event")

Fields = MutableMapping[str, Any]


def configure_journal(
    program: str,
    *,
    stream: TextIO | None = None,
    level: int = logging.INFO,
    dropped: Callable[[int], None] = lambda count: None,
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> None:
    """Send every line of this process to `stream` (standard error) as JSON.

    `program` is desk, coordinator, agent or the like; `dropped` is told how many fields of a line were not kept; `now`
    is in milliseconds UTC.
    """
    target = sys.stderr if stream is None else stream
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _reduce_exception,
            _ListedFields(program, dropped, now),
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLines()]
    root.setLevel(logging.WARNING)


def places_of(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, as `file:line`, innermost last: no messages, no values, no source text."""
    places = []
    while trace is not None:
        places.append(f"{_short(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-_MAX_PLACES:]


class _ListedFields:
    """Keeps what is on the list, counts the rest, and puts time, level, program and event first."""

    def __init__(self, program: str, dropped: Callable[[int], None], now: Callable[[], int]) -> None:
        self._program = program
        self._dropped = dropped
        self._now = now

    def __call__(self, _: object, method: str, fields: Fields) -> Fields:
        event = fields.pop("event", None)
        level = fields.pop("level", method)
        fields.pop("program", None)
        kept = {name: value for name, value in fields.items() if name not in _ALWAYS and may_be_logged(name, value)}
        dropped = len(fields) - len(kept)
        if not (isinstance(event, str) and len(event) <= _MAX_EVENT_CHARS and _EVENT.fullmatch(event)):
            event, dropped = _UNNAMED, dropped + 1
        if dropped:
            kept["dropped_fields"] = dropped
            self._dropped(dropped)
        return {"at": self._now(), "level": level, "program": self._program, "event": event, **kept}


class _LibraryLines(logging.Handler):
    """Says that a library had something to say: its name, the level, the class of an exception; never its words."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(record.levelno, "library_logged", logger=record.name, exc_info=error)


def _reduce_exception(_: object, __: str, fields: Fields) -> Fields:
    error = fields.pop("exc_info", None)
    fields.pop("stack_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if not isinstance(error, BaseException):
        return fields
    if isinstance(error, Failure):
        fields.setdefault("code", error.code)
        fields["disposition"] = str(error.disposition)
    fields["error_class"] = type(error).__name__
    fields["trace"] = places_of(error.__traceback__)
    return fields


def _short(file: str) -> str:
    """The path from the project's own folder on, else the last part: no home directories."""
    parts = PurePath(file).parts
    for at, part in enumerate(parts):
        if part in _OUR_FOLDERS and "site-packages" not in parts[at:]:
            return "/".join(parts[at:])
    return parts[-1] if parts else "unknown"


def _render(_: object, __: str, fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=True)
