"""Ciphertexts that are kept, because sealing draws random numbers and the vectors must not change.

A text is made once, stored in `kept.json` and used again for as long as it still opens to what it should. Refuses to
know what is in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from schemas.failures import Rejected

KEPT_FILE: Final = Path(__file__).with_name("kept.json")
_used: Final[dict[str, bytes]] = {}


def keep(name: str, make: Callable[[], bytes], opens: Callable[[bytes], bool]) -> bytes:
    """The kept text of that name, if it `opens` to what is expected; otherwise a new one, kept from now on."""
    if name not in _used:
        raw = _stored().get(name)
        _used[name] = raw if raw is not None and _holds(raw, opens) else make()
    return _used[name]


def kept_vectors() -> dict[str, object]:
    """Every text that was asked for since the start, to be written out after all other vectors."""
    return {name: base64.b64encode(raw).decode("ascii") for name, raw in sorted(_used.items())}


def _holds(raw: bytes, opens: Callable[[bytes], bool]) -> bool:
    try:
        return opens(raw)
    except Rejected:
        return False


@cache
def _stored() -> dict[str, bytes]:
    if not KEPT_FILE.exists():
        return {}
    texts = json.loads(KEPT_FILE.read_text())["texts"]
    return {name: base64.b64decode(text) for name, text in texts.items()}
