"""Files damaged anywhere, at random and again the same: what is told is told, and nobody becomes unknown."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agents.runtime.source import SourceAway
from schemas.vocabulary import Category
from tests.contract.records.county_health import county, open_source, query_for

DAMAGES = 25


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


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_away_or_told_and_make_nobody_unknown(folder: Path, seed: int) -> None:
    draws = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    query = query_for(county().case("family"))
    for _ in range(DAMAGES):
        path = draws.choice(files)
        whole = path.read_bytes()
        path.write_bytes(damage(draws, whole))
        source = open_source(folder)
        try:
            found = source.people(query)
            assert found
            for person in found:
                source.restrictions(person)
                for category in Category:
                    list(source.findings(person, category))
        except SourceAway:
            pass
        path.write_bytes(whole)
        source.close()
