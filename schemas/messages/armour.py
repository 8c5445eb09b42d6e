"""Frames as text that survives e-mail and the clipboard: base64 in lines of 64 between two marks (SPEC 3.6)."""

from __future__ import annotations

import textwrap
from typing import Final

from schemas.failures import Rejected
from schemas.messages.fields import decode_base64, encode_base64

_BEGIN: Final = "-----BEGIN NEEDTOKNOW {mark}-----"
_END: Final = "-----END NEEDTOKNOW {mark}-----"
_LINE_LETTERS: Final = 64
_NEVER: Final = 1 << 30


class ArmourMalformed(Rejected):
    """A file that is not base64 between the two marks of its kind, or is too large."""

    code = "armour_malformed"


def armoured(mark: str, raw: bytes) -> bytes:
    """The text of `raw` between the marks of that kind."""
    begin, end = _BEGIN.format(mark=mark), _END.format(mark=mark)
    return "\n".join([begin, *textwrap.wrap(encode_base64(raw), _LINE_LETTERS), end, ""]).encode("ascii")


def dearmour(mark: str, text: bytes, *, limit_bytes: int = _NEVER) -> bytes:
    """The bytes of such a text. Spaces around lines, empty lines and line ends do not matter: e-mail changes them.

    Raises:
        ArmourMalformed: it is larger than that, or not such a text.
    """
    if len(text) > limit_bytes:
        raise ArmourMalformed(f"more than {limit_bytes} bytes")
    try:
        lines = [line.strip() for line in text.decode("ascii").strip().splitlines()]
        if len(lines) < 3 or lines[0] != _BEGIN.format(mark=mark) or lines[-1] != _END.format(mark=mark):
            raise ArmourMalformed(
                f"not one {mark} block: give all of it, from -----BEGIN to -----END, and nothing beside it"
            )
        return decode_base64("".join(lines[1:-1]))
    except ValueError:
        raise ArmourMalformed("something in it is not ASCII or not base64; have it sent as a file") from None
