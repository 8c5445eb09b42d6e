"""The hub's Cedar schema, written from the vocabulary, and a question of the coordinator in its terms.

Every closed list becomes an enumerated entity type, so a misspelt word in a rule stops the start and one in a question
is refused. `hub.cedarschema` is this module's text; a test compares them. Mode is the action that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from broker.node.policy import Context, Uid
from schemas.messages.request import RequestHeader
from schemas.records.registry import kind_of
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)

ENTITY_TYPES: Final[Mapping[str, type[StrEnum]]] = {
    "OfficerRole": OfficerRole,
    "Category": Category,
    "Purpose": Purpose,
    "Basis": LawfulBasis,
    "Stage": Stage,
    "Rag": Rag,
    "Consent": ConsentState,
    "SubjectRole": SubjectRole,
    "AgencyKind": AgencyKind,
}
"""The enumerated entity types and the list each stands for."""

_CONTEXT: Final = {
    "purpose": "Purpose",
    "bases": "Set<Basis>",
    "stage": "Stage",
    "rag": "Rag",
    "consent": "Consent",
    "subject": "SubjectRole",
    "agency": "AgencyKind",
    "holders": "Set<AgencyKind>",
}
_UIDS: Final[Mapping[str, Mapping[StrEnum, Uid]]] = {
    name: {word: Uid(name, word.value) for word in words} for name, words in ENTITY_TYPES.items()
}
_HOLDERS: Final[Mapping[Category, frozenset[Uid]]] = {
    category: frozenset(Uid("AgencyKind", kind.value) for kind in AgencyKind if kind_of(category) in (None, kind))
    for category in Category
}


def schema_text() -> str:
    """The text of `hub.cedarschema`."""
    lines = [
        "// Written from schemas/vocabulary.py by broker/policy/vocabulary.py; do not edit.",
        "// An officer asks an agency for a category, in one of two modes, about a subject of the enquiry.",
        "",
    ]
    for name, words in ENTITY_TYPES.items():
        lines.append(f"entity {name} enum [")
        lines += [",\n".join(f'    "{word.value}"' for word in words), "];"]
    lines.append(f"action {', '.join(mode.value for mode in Mode)} appliesTo {{")
    lines.append("    principal: [OfficerRole],")
    lines.append("    resource: [Category],")
    lines.append("    context: {")
    lines += [",\n".join(f"        {name}: {kind}" for name, kind in _CONTEXT.items())]
    lines += ["    }", "};", ""]
    return "\n".join(lines)


def principal_of(header: RequestHeader) -> Uid:
    """Who asks: the officer's role."""
    return _uid("OfficerRole", header.officer_role)


def resource_of(category: Category) -> Uid:
    """What is asked for."""
    return _uid("Category", category)


def context_of(header: RequestHeader, agency_kind: AgencyKind) -> Context:
    """What all questions of a request to an agency of that kind share."""
    return {
        "purpose": _uid("Purpose", header.purpose),
        "bases": frozenset(_uid("Basis", basis) for basis in header.lawful_bases),
        "stage": _uid("Stage", header.stage),
        "rag": _uid("Rag", header.rag),
        "consent": _uid("Consent", header.consent),
        "agency": _uid("AgencyKind", agency_kind),
    }


def about(context: Context, subject: SubjectRole, category: Category) -> Context:
    """The context of one question; `holders` are the kinds of agency that can hold the category."""
    return {**context, "subject": _uid("SubjectRole", subject), "holders": _HOLDERS[category]}


def _uid(name: str, word: StrEnum) -> Uid:
    return _UIDS[name][word]
