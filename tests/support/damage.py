"""Files damaged anywhere, at random and again the same, under a source that reads them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agents.runtime.source import PersonQuery, RecordSource, SourceAway
from schemas.vocabulary import Category

DAMAGES: Final = 25


def damage(draws: random.Random, whole: bytes) -> bytes:
    """Some bytes changed, lost or added, or the end cut off."""
    damaged = bytearray(whole)
    for _ in range(draws.choice((1, 1, 5, 50))):
        if not damaged:
            break
        at = draws.randrange(len(damaged))
        match draws.choice("ccllaw"):
            case "c":
                damaged[at] = draws.randrange(256)
            case "l":
                del damaged[at : at + draws.randrange(1, 40)]
            case "a":
                damaged[at:at] = draws.randbytes(8)
            case _:
                del damaged[at + 1 :]
    return bytes(damaged)


def read_through_damage(
    folder: Path, open_source: Callable[[Path], RecordSource], known: PersonQuery, seed: int
) -> None:
    """Damage one file after another: each time the source is away, or finds whom it knew and reads all it has."""
    draws = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for _ in range(DAMAGES):
        path = draws.choice(files)
        whole = path.read_bytes()
        path.write_bytes(damage(draws, whole))
        source = open_source(folder)
        try:
            found = source.people(known)
            assert found
            for person in found:
                source.restrictions(person)
                for category in Category:
                    list(source.findings(person, category))
        except SourceAway:
            pass
        path.write_bytes(whole)
        source.close()
