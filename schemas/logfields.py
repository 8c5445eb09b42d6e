"""The closed list of what a log line may say, beside its event.

A name, an identifier of a person or the text of a case cannot be logged because there is no field for it here, and
because every field says what its values look like. An agency that writes its own agent keeps the same list, so that one
dashboard reads all. Adding a field is adding a line; the reviewer's question is whose name could stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_VALUE_CHARS: Final = 128
"""Longer than any code, identifier or address of ours; shorter than a sentence about somebody."""

WORD: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
"""A word of a closed list in the code: never free text."""
CLASS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")
HEX: Final = re.compile(r"[0-9a-f]{8,64}")
"""A random identifier or a digest."""
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""The configured name of a party or a program, never of a person."""
HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]{1,128}")
SUBJECT: Final = re.compile(r"[A-Za-z0-9_.>*-]{1,128}")
"""A subject of the bus: tokens of accounts, no names (`schemas.subjects`)."""
VERSION: Final = re.compile(r"[0-9A-Za-z.+-]{1,64}")
REASON: Final = re.compile(r"[a-z]+( ([A-Za-z]+|-)){1,15}")
"""Words that the program itself has put together; never what a peer or a library said."""
PLACE: Final = re.compile(r"[A-Za-z0-9_./<>-]{1,100}:[0-9]{1,6}")
"""A file of the program and a line in it."""


@dataclass(frozen=True, slots=True)
class LogField:
    """What one field means, and what its values must look like: an exact type, and for text a pattern."""

    meaning: str
    kind: type[str] | type[int] | type[float] | type[bool]
    pattern: re.Pattern[str] = WORD
    is_list: bool = False


LOG_FIELDS: Final[Mapping[str, LogField]] = {
    # What happened.
    "code": LogField("the code of a failure or of a rejection", str),
    "disposition": LogField("what is to be done about a failure: retry, reject or halt", str),
    "error_class": LogField("the class of an exception that is not one of ours", str, CLASS),
    "failure": LogField("the class of an exception that is not one of ours", str, CLASS),
    "trace": LogField("where an exception passed, innermost last", str, PLACE, is_list=True),
    "reason": LogField("why, in words of the program's own", str, REASON),
    "event_code": LogField("the numeric code of a library's event", int),
    # Where in the program.
    "program": LogField("which of our programs: desk, coordinator, agent", str, SLUG),
    "logger": LogField("the library that spoke; what it said is not kept", str, CLASS),
    "task": LogField("which of the program's tasks", str),
    "command": LogField("which command of the local socket", str),
    "check": LogField("which readiness check or numbered check of SPEC.md", str, re.compile(r"[a-z0-9_.]{1,32}")),
    "version": LogField("the program's version", str, VERSION),
    "pid": LogField("a process id", int),
    "status": LogField("an exit status or an HTTP status", int),
    # Messages and exchanges: kinds and random identifiers, never contents.
    "kind": LogField("the kind of a message or entry", str),
    "party": LogField("a party's configured name", str, SLUG),
    "agency": LogField("an agency's configured name", str, SLUG),
    "hub": LogField("a hub's configured name", str, SLUG),
    "exchange": LogField("an exchange's random identifier", str, HEX),
    "message": LogField("a message's random identifier", str, HEX),
    "message_id": LogField("a message's random identifier", str, HEX),
    "digest": LogField("the SHA-256 of transmitted bytes", str, HEX),
    "key_id": LogField("a public key's identifier", str, HEX),
    "purpose": LogField("a key's purpose", str),
    "epoch": LogField("the number of a sealing epoch", int),
    "progress": LogField("where an exchange stands", str),
    "conclusion": LogField("how an exchange ended", str),
    "rule": LogField("the id of a policy rule", str, SLUG),
    "policy": LogField("the digest of a policy", str, HEX),
    # The log.
    "index": LogField("an entry's index", int),
    "size": LogField("a log's size", int),
    "behind": LogField("how many entries one is behind another", int),
    "witness": LogField("a witness's configured name", str, SLUG),
    # The bus.
    "bus": LogField("a connection's configured name", str, SLUG),
    "host": LogField("a host name or address", str, HOST),
    "port": LogField("a TCP port", int),
    "subject": LogField("a subject of the bus", str, SUBJECT),
    # Quantities.
    "count": LogField("how many", int),
    "tries": LogField("how often so far", int),
    "bytes": LogField("how long", int),
    "at": LogField("milliseconds UTC", int),
    "due_at": LogField("milliseconds UTC", int),
    "ends_at": LogField("when a key, certificate or JWT ends or ended, in milliseconds UTC", int),
    "late_ms": LogField("milliseconds after it was due", int),
    "took_ms": LogField("milliseconds it took", int),
    "dropped_fields": LogField("how many fields of this line were not on this list or did not look right", int),
}
"""Field name to what may stand in it."""


def may_be_logged(name: str, value: object) -> bool:
    """Whether a field is on the list and its value looks as the list says. None is allowed for every listed field."""
    field = LOG_FIELDS.get(name)
    if field is None:
        return False
    if value is None:
        return True
    if field.is_list:
        return isinstance(value, list | tuple) and all(_looks_right(field, one) for one in value)
    return _looks_right(field, value)


def _looks_right(field: LogField, value: object) -> bool:
    if field.kind is str:
        # Subclasses of str are enumerations of ours; their text is what is logged.
        return (
            isinstance(value, str) and len(value) <= MAX_VALUE_CHARS and field.pattern.fullmatch(str(value)) is not None
        )
    return type(value) is field.kind
