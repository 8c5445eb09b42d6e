"""The journal: what is not on the list cannot be logged, whoever tries."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from broker.node.journal import configure_journal
from schemas.failures import GroundLost
from schemas.logfields import LOG_FIELDS, MAX_VALUE_CHARS, may_be_logged


class Journal:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.dropped: list[int] = []
        configure_journal("desk", stream=self.stream, dropped=self.dropped.append, now=lambda: 1_790_000_000_000)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def journal() -> Iterator[Journal]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Journal()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_of_time_level_program_event_and_listed_fields(journal: Journal) -> None:
    structlog.get_logger().info("message_rejected", kind="submission", code="envelope_malformed", count=3)
    assert journal.lines() == [
        {
            "at": 1_790_000_000_000,
            "level": "info",
            "program": "desk",
            "event": "message_rejected",
            "kind": "submission",
            "code": "envelope_malformed",
            "count": 3,
        }
    ]
    assert journal.dropped == []


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Example Person"},
        {"nhs_number": "9434765919"},
        {"kind": "Example Person"},
        {"code": "a" * 65},
        {"exchange": "not hexadecimal"},
        {"count": "3"},
        {"count": True},
        {"count": 3.5},
        {"party": "two words"},
        {"reason": "x" * 200},
        {"reason": "Example Person"},
        {"reason": "line\nbreak"},
        {"host": {"nested": "Example Person"}},
        {"trace": ["broker/x.py:1", "Example Person"]},
        {"at": 1},
        {"program": "agent", "body": b"bytes"},
    ],
)
def test_a_field_that_is_not_listed_or_does_not_look_right_is_dropped_and_counted(
    journal: Journal, fields: dict[str, Any]
) -> None:
    structlog.get_logger().info("thing_happened", **fields)
    (line,) = journal.lines()
    assert set(line) == {"at", "level", "program", "event", "dropped_fields"}
    assert (line["at"], line["program"]) == (1_790_000_000_000, "desk")
    assert journal.dropped == [1]
    assert "Example" not in journal.stream.getvalue()


@pytest.mark.parametrize("event", ["Example Person was found", "Looked up %s", "", "a" * 65, "camelCase", "trailing_"])
def test_an_event_that_is_not_a_snake_case_name_is_replaced(journal: Journal, event: str) -> None:
    structlog.get_logger().info(event)
    assert journal.lines()[0]["event"] == "unnamed_event_dropped"


def test_values_cannot_come_in_by_way_of_event_formatting(journal: Journal) -> None:
    structlog.get_logger().info("looked_up_%s", "Example Person")
    assert "Example" not in journal.stream.getvalue()


def test_an_exception_is_reduced_to_class_and_places(journal: Journal) -> None:
    try:
        raise LookupError("Example Person")
    except LookupError:
        structlog.get_logger().exception("task_failed", task="matching")
    (line,) = journal.lines()
    assert line["error_class"] == "LookupError"
    assert line["trace"][-1].startswith("tests/unit/broker/node/test_journal.py:")
    assert "Example" not in journal.stream.getvalue()


def test_a_failure_is_reduced_to_code_disposition_class_and_places(journal: Journal) -> None:
    structlog.get_logger().error("node_halted", exc_info=GroundLost("the detail stays at home"))
    (line,) = journal.lines()
    assert (line["code"], line["disposition"], line["error_class"]) == ("ground_lost", "halt", "GroundLost")
    assert "home" not in journal.stream.getvalue()


def test_what_a_library_says_is_not_repeated(journal: Journal) -> None:
    logging.getLogger("somelibrary.wire").warning("could not parse %s", "Example Person")
    logging.getLogger("asyncio").error("Task exception", exc_info=ValueError("Example Person"))
    first, second = journal.lines()
    assert (first["event"], first["logger"], first["level"]) == ("library_logged", "somelibrary.wire", "warning")
    assert second["error_class"] == "ValueError"
    assert "Example" not in journal.stream.getvalue()


def test_context_bound_fields_are_checked_too(journal: Journal) -> None:
    with structlog.contextvars.bound_contextvars(exchange="ab" * 16, officer="Example Person"):
        structlog.get_logger().info("request_decided")
    (line,) = journal.lines()
    assert line["exchange"] == "ab" * 16
    assert "officer" not in line


def test_every_listed_text_field_refuses_a_full_name_and_a_long_text() -> None:
    for name, field in LOG_FIELDS.items():
        if field.kind is str:
            assert not may_be_logged(name, "Example Person")
            assert not may_be_logged(name, "x" * (MAX_VALUE_CHARS + 1))
