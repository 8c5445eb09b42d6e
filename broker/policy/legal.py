"""Legal bases as dated reference data: which there are, in which nation, from which day until which.

The dates are in `reference/legal-bases.toml` and, where a commencement is left to a hub, in the manifest of its own
pack. No date and no nation is in code. What a basis permits is said in policy, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from broker.node.policy import PolicyInvalid
from broker.policy.toml_file import Table, places, read_file
from schemas.vocabulary import LawfulBasis, Nation

BASES_FILE: Final = "legal-bases.toml"


class BasisKind(StrEnum):
    """What a basis is for: to say why a public body may share, or on which condition of data protection law."""

    DUTY = "duty"
    POWER = "power"
    ARTICLE_6 = "article-6"
    ARTICLE_9 = "article-9"
    ARTICLE_10 = "article-10"
    LAW_ENFORCEMENT = "law-enforcement"


@dataclass(frozen=True, slots=True)
class Span:
    """From a first day until a last one, both within; without a last day, until further notice."""

    first: date
    last: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the day is within."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One legal basis. A nation without a span has it, and it is not in force there yet."""

    code: LawfulBasis
    title: str
    kind: BasisKind
    spans: Mapping[Nation, Span | None]
    sources: tuple[str, ...]

    def holds(self, nation: Nation, day: date) -> bool:
        """Whether it is in force in a nation on a day."""
        span = self.spans.get(nation)
        return span is not None and span.holds_on(day)


class _Row(Table):
    code: LawfulBasis
    title: Annotated[str, Field(min_length=1, max_length=300)]
    kind: BasisKind
    nations: Annotated[list[Nation], Field(min_length=1)]
    in_force_from: date | None = None
    in_force_until: date | None = None
    commencement: Literal["deployment"] | None = None
    source: Annotated[str, Field(min_length=1, max_length=300)]


class _File(Table):
    basis: Annotated[list[_Row], Field(min_length=1)]


def read_bases(raw: bytes, commencement: Mapping[LawfulBasis, date]) -> Mapping[LawfulBasis, LegalBasis]:
    """Every legal basis by its code.

    Args:
        raw: the reference data.
        commencement: the day from which a hub takes those to be in force whose date the reference data leaves to it.

    Raises:
        PolicyInvalid: something does not hold; the text says file, line and reason.
    """
    rows = read_file(BASES_FILE, raw, _File).basis
    known: dict[LawfulBasis, LegalBasis] = {}
    left_open: set[LawfulBasis] = set()
    for where, row in zip(places(BASES_FILE, raw.decode(), "basis", len(rows)), rows, strict=True):
        span = _span(row, commencement, where)
        if row.commencement is not None:
            left_open.add(row.code)
        before = known.get(row.code)
        if before is not None and (before.spans.keys() & set(row.nations) or before.kind is not row.kind):
            raise PolicyInvalid(f"{where}: {row.code} stands twice for one nation, or as two kinds")
        spans = {**(before.spans if before else {}), **dict.fromkeys(row.nations, span)}
        sources = (*(before.sources if before else ()), row.source)
        known[row.code] = LegalBasis(row.code, before.title if before else row.title, row.kind, spans, sources)
    if missing := sorted(set(LawfulBasis) - known.keys()):
        raise PolicyInvalid(f"{BASES_FILE}: {missing[0]} is missing")
    if fixed := sorted(commencement.keys() - left_open):
        raise PolicyInvalid(f"pack.toml: commencement.{fixed[0]}: its date is in {BASES_FILE} and not a hub's to set")
    return known


def _span(row: _Row, commencement: Mapping[LawfulBasis, date], where: str) -> Span | None:
    if (row.in_force_from is None) is not (row.commencement is not None):
        raise PolicyInvalid(f'{where}: {row.code} needs in_force_from, or commencement = "deployment", and not both')
    first = row.in_force_from or commencement.get(row.code)
    if first is None:
        return None
    if row.in_force_until is not None and row.in_force_until < first:
        raise PolicyInvalid(f"{where}: {row.code} ends before it begins")
    return Span(first, row.in_force_until)
