"""Sharing agreements as data: who signed which, for which purposes, from which day until which, on which conditions.

What may be shared under an agreement is said by the pack's rules; here is only whether there is one, and for how long
a glass may be broken (`schemas.messages.glass`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from pydantic import Field

from broker.node.policy import PolicyInvalid
from broker.policy.legal import BasisKind, LegalBasis, Span
from broker.policy.toml_file import Table, places, read_file
from schemas.messages.fields import Slug, Word
from schemas.messages.glass import AGREEMENTS_FILE, GlassTable, GlassTerms
from schemas.vocabulary import AgencyKind, LawfulBasis, Nation, Purpose

MAX_AGREEMENTS: Final = 128
"""Of one agency: what is told of them fits a ruling."""

_CONDITIONS: Final = (
    BasisKind.ARTICLE_6,
    BasisKind.ARTICLE_9,
    BasisKind.ARTICLE_10,
    BasisKind.LAW_ENFORCEMENT,
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement."""

    id: str
    title: str
    version: int
    agencies: frozenset[str]
    """Signatories by their name at the hub."""
    kinds: frozenset[AgencyKind]
    """Kinds of agency of which every one that the hub admits has signed."""
    purposes: frozenset[Purpose]
    span: Span
    conditions: frozenset[LawfulBasis]
    """The conditions of data protection law that it states for all sharing under it."""
    source: str

    def is_signed_by(self, agency: str, kind: AgencyKind) -> bool:
        """Whether an agency is party to it."""
        return agency in self.agencies or kind in self.kinds


class _Agreement(Table):
    id: Word
    title: Annotated[str, Field(min_length=1, max_length=300)]
    version: Annotated[int, Field(ge=1)]
    agencies: tuple[Slug, ...] = ()
    kinds: tuple[AgencyKind, ...] = ()
    purposes: Annotated[list[Purpose], Field(min_length=1)]
    valid_from: date
    valid_until: date
    conditions: tuple[LawfulBasis, ...] = ()
    source: Annotated[str, Field(min_length=1, max_length=300)]


class _File(Table):
    break_glass: GlassTable | None = None
    agreement: Annotated[list[_Agreement], Field(min_length=1, max_length=MAX_AGREEMENTS)]


def read_agreements(raw: bytes, bases: Mapping[LawfulBasis, LegalBasis], nation: Nation) -> tuple[Agreement, ...]:
    """The agreements of a pack.

    Raises:
        PolicyInvalid: something does not hold; the text says file, line and reason.
    """
    found: dict[str, Agreement] = {}
    rows = read_file(AGREEMENTS_FILE, raw, _File).agreement
    for begins, row in zip(places(AGREEMENTS_FILE, raw.decode(), "agreement", len(rows)), rows, strict=True):
        where = f"{begins}: agreement {row.id}"
        if row.id in found:
            raise PolicyInvalid(f"{where}: another has that id too")
        if row.valid_until < row.valid_from:
            raise PolicyInvalid(f"{where}: it ends before it begins")
        if not row.agencies and not row.kinds:
            raise PolicyInvalid(f"{where}: nobody has signed it; name agencies or kinds")
        _check_conditions(row.conditions, bases, nation, where)
        found[row.id] = Agreement(
            id=row.id,
            title=row.title,
            version=row.version,
            agencies=frozenset(row.agencies),
            kinds=frozenset(row.kinds),
            purposes=frozenset(row.purposes),
            span=Span(row.valid_from, row.valid_until),
            conditions=frozenset(row.conditions),
            source=row.source,
        )
    return tuple(found.values())


def read_glass(raw: bytes) -> GlassTerms | None:
    """How long a glass may be broken under the agreements of a pack; None where they let none be broken.

    Raises:
        PolicyInvalid: longer than any hub may agree, or not whole hours; the text says file, line and reason.
    """
    glass = read_file(AGREEMENTS_FILE, raw, _File).break_glass
    return None if glass is None else GlassTerms.of(glass)


def _check_conditions(
    conditions: Iterable[LawfulBasis], bases: Mapping[LawfulBasis, LegalBasis], nation: Nation, where: str
) -> None:
    for code in conditions:
        if bases[code].kind not in _CONDITIONS:
            raise PolicyInvalid(f"{where}: {code} is a power or duty that a request names, not a condition")
        if nation not in bases[code].spans:
            raise PolicyInvalid(f"{where}: {code} is not law in {nation}")
