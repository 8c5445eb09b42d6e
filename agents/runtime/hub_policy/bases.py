"""What the legal bases of a version of the hub's policy are called, and since when each is law. Decides nothing.

The dated list is one of the version's files, which the hub's information-governance lead signed. What of it cannot be
read is left out: a code without its title is still the code that was asked on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from agents.runtime.hub_policy.records import files_of, held
from broker.node.store import Transaction
from schemas.messages.policy import POLICY_BASES, read_policy_files
from schemas.vocabulary import LawfulBasis, Nation

MOST_LETTERS: Final = 300


@dataclass(frozen=True, slots=True)
class NamedBasis:
    """A legal basis as a request names it, and what the hub's policy calls it."""

    code: LawfulBasis
    title: str | None = None
    """None: no version that is held here has it."""
    source: str | None = None
    nation: Nation | None = None
    first: date | None = None
    """The first day in force in that nation; None where the hub's own pack says it."""
    last: date | None = None


def bases_of(tx: Transaction, policy_digest: str, codes: Iterable[LawfulBasis]) -> list[NamedBasis]:
    """The bases of a request, by the version of the hub's policy that it was granted by."""
    files = files_of(tx, policy_digest)
    statements = [one.version.statement for one in held(tx).values()]
    nation = next((one.nation for one in statements if one.policy_digest == policy_digest), None)
    if files is None or nation is None:
        return [NamedBasis(code) for code in codes]
    texts = {file.name: file.text for file in read_policy_files(files).files}
    return name_bases(texts.get(POLICY_BASES, ""), nation, codes)


def name_bases(text: str, nation: Nation, codes: Iterable[LawfulBasis]) -> list[NamedBasis]:
    """What a list of legal bases says of each code, in one nation."""
    try:
        rows = tomllib.loads(text).get("basis")
    except tomllib.TOMLDecodeError:
        rows = None
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [_named(code, nation, listed) for code in codes]


def _named(code: LawfulBasis, nation: Nation, rows: Iterable[Mapping[str, Any]]) -> NamedBasis:
    for row in rows:
        nations = row.get("nations")
        if row.get("code") == code.value and isinstance(nations, list) and nation.value in nations:
            first, last = row.get("in_force_from"), row.get("in_force_until")
            return NamedBasis(
                code,
                title=_line(row.get("title")),
                source=_line(row.get("source")),
                nation=nation,
                first=first if type(first) is date else None,
                last=last if type(last) is date else None,
            )
    return NamedBasis(code)


def _line(said: object) -> str | None:
    return " ".join(said.split())[:MOST_LETTERS] if isinstance(said, str) else None
