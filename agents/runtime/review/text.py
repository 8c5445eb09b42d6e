"""Requests in review as text for a terminal. Pure. What a record or a hub wrote cannot steer the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Shown = Mapping[str, Any]


def printable(text: str) -> str:
    """A text without what could steer a terminal or turn the direction of reading."""
    return "".join(one if one.isprintable() else " " for one in text)


def at_text(at: int) -> str:
    """An instant as people read it, in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")


def left_text(left_ms: int) -> str:
    """How much time is left, in hours and minutes."""
    minutes = left_ms // 60_000
    return f"{minutes // 60} h {minutes % 60:02} min left"


def list_text(found: Shown) -> str:
    """A line a request."""
    if not found["has_desk"]:
        return "this agency has no review desk: name who reviews in config.toml, [review] role"
    if not found["waiting"]:
        return "nothing waits for a person"
    return "\n".join(
        f"{one['exchange']}  {one['rag']:6} {left_text(one['left_ms']):18} {', '.join(one['categories'])}"
        for one in found["waiting"]
    )


def case_text(found: Shown) -> str:
    """A request in full, and the next step."""
    return "\n".join(_lines(found))


def _lines(found: Shown) -> Iterator[str]:
    officer = found["officer"]
    yield f"REQUEST {found['exchange']} of {found['hub']}"
    yield f"  asked by  {printable(officer['name'])}, {printable(officer['position'])} ({officer['role']})"
    if officer["contact"]:
        yield f"            {printable(officer['contact'])}"
    yield f"  for       {found['purpose']}, stage {found['stage']}, {found['rag']}, consent {found['consent']}"
    yield f"  on        {', '.join(found['lawful_bases'])}"
    yield f"  why       {printable(found['asks_why'])}"
    yield f"  deadline  {at_text(found['deadline_at'])}"
    yield f"  review    until {at_text(found['until'])}, {left_text(found['left_ms'])}"
    for one in found["subjects"]:
        born = f", {one['birth_date']}" if one["birth_date"] else ""
        yield f"SUBJECT {one['ref']}  {one['role']}: {printable(', '.join(one['names']) or 'unborn')}{born}"
        for more in (*one["identifiers"], *one["addresses"]):
            yield f"  {printable(more)}"
    yield "WHAT WOULD LEAVE"
    for one in found["outcomes"]:
        yield from _outcome(one)
    if found["third_parties"]:
        yield f"POSSIBLE THIRD PARTIES  {printable(', '.join(found['third_parties']))}"
    if found["in_writing"]:
        yield "asked under the Welsh Act: whoever declines says why in writing (--written)"
    if found["pressed"]:
        yield f"released so far by {', '.join(found['pressed'])}; it takes {found['needed']} people"
    yield f"next: agent review release {found['exchange']} --shown {found['shown']}"
    yield "      or redact, narrow, decline, confirm, clear: each shows again what would leave"


def _outcome(one: Shown) -> Iterator[str]:
    why = f" [{one['reason']}]" if one["reason"] else ""
    yield f"  {one['subject'][:8]}  {one['category']}:{one['mode']}  {one['outcome']}{why}"
    if one["truth"] not in ("matched", "not-matched") and one["outcome"] == "not_known":
        yield f"      in truth {one['truth']}; the hub is not told"
    if one["sentence"]:
        yield f"      {one['rule']}: {printable(one['sentence'])}"
    if one["written"]:
        yield f"      written: {printable(one['written'])}"
    if one["records"]:
        for record in one["records"]:
            labels = f" ({', '.join(record['labels'])})" if record["labels"] else ""
            yield f"    record {record['record']}  {record['on'] or 'undated'}{labels}{_stays(record)}"
            if record["waits_by"]:
                yield f"      it waits by {record['waits_by']}: {printable(record['waits_because'] or '')}"
            for fact in record["facts"]:
                yield from _fact(fact)
    else:
        for fact in one["facts"]:
            yield from _fact(fact)


def _stays(record: Shown) -> str:
    return "" if record["leaves"] else "  stays here"


def _fact(fact: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted(fact.items()):
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        yield f"      {name}: {printable(said)}"
