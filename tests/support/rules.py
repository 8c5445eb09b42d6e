"""Packs of so many rules, and questions to a hub's policy drawn from all its words."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from broker.node.policy import Context, Policy, Uid, make_policy
from broker.node.policy.question import Part
from broker.policy.vocabulary import ENTITY_TYPES
from schemas.messages.policy import POLICY_SCHEMA
from schemas.vocabulary import LawfulBasis, Mode
from tests.support.policies import england_files

Question: TypeAlias = tuple[Uid, str, Uid, tuple[Part, ...]]
"""Who, what, about what, and the context: as a rulebook is asked."""

_WORDS: Final[Mapping[str, str]] = {
    "purpose": "Purpose",
    "stage": "Stage",
    "rag": "Rag",
    "consent": "Consent",
    "subject": "SubjectRole",
    "agency": "AgencyKind",
}
_FLAGS: Final = ("allocated", "held", "article_6", "article_9", "article_10", "law_enforcement", "break_glass")


def question(principal: Uid, action: str, resource: Uid, context: Context) -> Question:
    """A question with this context."""
    return principal, action, resource, tuple((name, type(value), value) for name, value in context.items())


def questions_to_a_hub(count: int) -> list[Question]:
    """So many, no two of them alike but by chance; the same in every run."""
    drawn = random.Random(4)

    def word(kind: str) -> Uid:
        return Uid(kind, drawn.choice(list(ENTITY_TYPES[kind])).value)

    return [
        question(
            word("OfficerRole"),
            drawn.choice(list(Mode)).value,
            word("Category"),
            {
                **{name: word(kind) for name, kind in _WORDS.items()},
                **{flag: drawn.random() < 0.7 for flag in _FLAGS},
                "bases": frozenset({word("Basis"), Uid("Basis", LawfulBasis.CA1989_47.value)}),
            },
        )
        for _ in range(count)
    ]


def england_rules(count: int) -> Policy:
    """So many rules of the pack for England: fewer than it has, or its own again under other ids."""
    given = england_files()
    texts = [given.files[name].decode() for name in sorted(given.files) if name.endswith(".cedar")]
    rules = [rule for text in texts for rule in re.split(r"(?m)^(?=@id)", text)[1:]]
    copies = [rules[at % len(rules)].replace('@id("', f'@id("{at}-', 1) for at in range(count)]
    return make_policy((POLICY_SCHEMA, given.schema.decode()), {"rules.cedar": "\n".join(copies)})
