"""Canonical JSON: one byte string for one value, so that what was signed is what was sent (SPEC 2).

The profile is RFC 8785 restricted: ASCII keys; strings, integers below 2^53, booleans, arrays, objects; no null, no
float. Within it a dump with sorted keys (orjson's, or the standard library's) is RFC 8785's form; `parse` refuses
whatever is not its own dump.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn, TypeAlias

import orjson

from schemas.failures import Rejected

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json]"

MAX_DEPTH: Final = 24
"""Nesting that any message needs, with room; bounds recursion in every implementation."""
MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 section 3.2.2.3, RFC 7493 section 2.2)."""
_MAX_INTEGER_TEXT: Final = len(str(-MAX_INTEGER))


class Malformed(Rejected):
    """Not JSON in UTF-8, or not a JSON object."""

    code = "malformed"


class DuplicateKey(Rejected):
    """An object names one key twice."""

    code = "duplicate_key"


class OutsideProfile(Rejected):
    """JSON, but with a value the profile leaves out: null, float, large integer, non-ASCII key, too deep."""

    code = "outside_profile"


class NotCanonical(Rejected):
    """JSON of the profile, but not in its canonical form."""

    code = "not_canonical"


class TooLarge(Rejected):
    """More bytes than the limit for this kind of message."""

    code = "too_large"


def encode(value: object) -> bytes:
    """The canonical bytes of `value`.

    Raises:
        OutsideProfile: the value holds something the profile leaves out.
    """
    if _is_plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            raise OutsideProfile("a string holds half of a surrogate pair") from None
    _check(value, 0)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise OutsideProfile("a string holds half of a surrogate pair") from None


def parse(raw: bytes, *, limit_bytes: int) -> dict[str, Json]:
    """The object whose canonical form `raw` is.

    Raises:
        TooLarge, Malformed, DuplicateKey, OutsideProfile, NotCanonical: in that order of checking.
    """
    if len(raw) > limit_bytes:
        raise TooLarge(f"{len(raw)} bytes, at most {limit_bytes}")
    try:
        value = orjson.loads(raw)
        if isinstance(value, dict) and _is_plain(value) and orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == raw:
            return value
    except ValueError:
        pass
    return _parse_and_say_why_not(raw)


def _parse_and_say_why_not(raw: bytes) -> dict[str, Json]:
    """The slow way, taken only by what does not hold: which of the failures it is."""
    repeated = False

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal repeated
        found = dict(pairs)
        repeated = repeated or len(found) != len(pairs)
        return found

    try:
        # What is outside the profile becomes null and is refused below, so that malformed text is told first.
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=members,
            parse_float=lambda _: None,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise OutsideProfile(f"nested deeper than {MAX_DEPTH}") from None
    except ValueError:
        raise Malformed("not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    if repeated:
        raise DuplicateKey("an object names one key twice")
    if encode(value) != raw:
        raise NotCanonical("its canonical form is other bytes")
    return value


def without_member(raw: bytes, name: str) -> bytes:
    """`raw`, a canonical object, with its one member `name` (a string of lower-case hexadecimal) cut out of the bytes.

    Cutting bytes, not re-serialising, keeps the rule that what is verified is what was sent. The opening quotation mark
    must follow a brace or a comma: inside a string it would follow the backslash that escapes it, so only a real member
    matches. One comma goes with the member: the one after it, or, if it is the last, the one before it (SPEC 2.5).

    Raises:
        Malformed: the member is missing or stands there more than once.
    """
    found = list(re.finditer(rb'(?<=[{,])"%s":"[0-9a-f]*"' % re.escape(name.encode("ascii")), raw))
    if len(found) != 1:
        raise Malformed(f"member {name} is not there exactly once")
    start, end = found[0].span()
    if raw[end : end + 1] == b",":
        end += 1
    elif raw[start - 1 : start] == b",":
        start -= 1
    return raw[:start] + raw[end:]


def _integer(text: str) -> int | None:
    # Longer texts are above the limit, and Python refuses to convert very long ones.
    return int(text) if len(text) <= _MAX_INTEGER_TEXT else None


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _is_plain(value: object) -> bool:
    """Whether a value is of the profile, told quickly; where this says no, `_check` decides and says why."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for holder in level:
            if type(holder) is dict:
                if not all(type(key) is str and key.isascii() for key in holder):
                    return False
                members: Iterable[object] = holder.values()
            elif type(holder) is list:
                members = holder
            else:
                return False
            for member in members:
                kind = type(member)
                if kind is str or kind is bool:
                    continue
                if kind is int:
                    if abs(member) > MAX_INTEGER:  # type: ignore[arg-type]
                        return False
                elif kind is dict or kind is list:
                    below.append(member)
                else:
                    return False
        if not below:
            return True
        level = below
    return False


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise OutsideProfile(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise OutsideProfile("an integer of 2^53 or more")
    elif isinstance(value, dict):
        for key, member in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise OutsideProfile("a key that is not ASCII text")
            _check(member, depth + 1)
    elif isinstance(value, list | tuple):
        for member in value:
            _check(member, depth + 1)
    else:
        raise OutsideProfile("null, a number that is no integer of the profile, or a value that JSON has no word for")
