"""The hub's Cedar schema, written from the vocabulary, and a question of the coordinator in its terms.

Every closed list becomes an enumerated entity type, so a misspelt word in a rule stops the start and one in a question
is refused. `hub.cedarschema` is this module's text; a test compares them. Mode is the action that is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from broker.node.policy import Context, Uid
from broker.policy.legal import BasisKind
from broker.policy.question import Question
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
    "allocated": "Bool",
    "subject": "SubjectRole",
    "agency": "AgencyKind",
    "held": "Bool",
    "article_6": "Bool",
    "article_9": "Bool",
    "article_10": "Bool",
    "law_enforcement": "Bool",
    "break_glass": "Bool",
}
_UIDS: Final[Mapping[str, Mapping[StrEnum, Uid]]] = {
    name: {word: Uid(name, word.value) for word in words} for name, words in ENTITY_TYPES.items()
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


def principal_of(question: Question) -> Uid:
    """Who asks: the officer's role."""
    return _uid("OfficerRole", question.by)


def resource_of(category: Category) -> Uid:
    """What is asked for."""
    return _uid("Category", category)


def context_of(question: Question, conditions: Collection[BasisKind]) -> Context:
    """What all that is asked in a request shares.

    Args:
        conditions: kinds of basis of which the request names one, or the agreements state one under which it is asked.
    """
    return {
        "purpose": _uid("Purpose", question.purpose),
        "bases": frozenset(_uid("Basis", basis) for basis in question.bases),
        "stage": _uid("Stage", question.stage),
        "rag": _uid("Rag", question.rag),
        "consent": _uid("Consent", question.consent),
        "allocated": question.allocated,
        "agency": _uid("AgencyKind", question.kind),
        "article_6": BasisKind.ARTICLE_6 in conditions,
        "article_9": BasisKind.ARTICLE_9 in conditions,
        "article_10": BasisKind.ARTICLE_10 in conditions,
        "law_enforcement": BasisKind.LAW_ENFORCEMENT in conditions,
        "break_glass": question.break_glass,
    }


def about(context: Context, subject: SubjectRole, category: Category) -> Context:
    """The context of one thing asked; `held` says whether an agency of that kind can hold the category."""
    kind = kind_of(category)
    held = kind is None or context["agency"] == _uid("AgencyKind", kind)
    return {**context, "subject": _uid("SubjectRole", subject), "held": held}


def _uid(name: str, word: StrEnum) -> Uid:
    return _UIDS[name][word]
