"""Requests in review as text for a terminal. Pure. What a record or a hub wrote cannot steer the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

Shown = Mapping[str, Any]

# Not by strftime: these words are the same whatever the machine's language is.
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def printable(text: str) -> str:
    """A text without what could steer a terminal or turn the direction of reading."""
    return "".join(one if one.isprintable() else " " for one in text)


def when_text(at: int, now: int) -> str:
    """An instant in words, and how far off it is."""
    day = datetime.fromtimestamp(at / 1000, UTC)
    minutes = abs(at - now) // 60_000
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [_counted(days, "day"), _counted(hours, "hour"), _counted(minutes, "minute")]
    far = " ".join(part for part in parts if part) or "less than a minute"
    said = f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year} at {day:%H:%M} UTC"
    return f"{said}, in {far}" if at > now else f"{said}, passed {far} ago"


def _counted(number: int, unit: str) -> str:
    return "" if number == 0 else f"{number} {unit}{'' if number == 1 else 's'}"


def basis_text(basis: Shown) -> str:
    """A legal basis: its title, whence it is, since when it is law, and its code."""
    code = str(basis["code"])
    if basis["title"] is None:
        return f"{code} (what it is called is in no version of the hub's policy that is held here)"
    nation = str(basis["nation"]).capitalize()
    since = f"in force in {nation} since {basis['in_force_from']}" if basis["in_force_from"] else f"law in {nation}"
    until = f" until {basis['in_force_until']}" if basis["in_force_until"] else ""
    source = f"; {basis['source']}" if basis["source"] else ""
    return printable(f"{basis['title']} [{code}; {since}{until}{source}]")


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
    for at, basis in enumerate(found["lawful_bases"]):
        yield f"  {'on' if at == 0 else '':9} {basis_text(basis)}"
    yield f"  why       {printable(found['asks_why'])}"
    yield f"  deadline  {when_text(found['deadline_at'], found['now'])}"
    yield f"  review    until {when_text(found['until'], found['now'])}; then what nobody read is withheld"
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
