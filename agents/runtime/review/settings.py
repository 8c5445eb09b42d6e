"""What `[review]` of config.toml says: who reviews, what always waits, what takes two people, and where the page is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from broker.node.settings import Section
from schemas.vocabulary import Category, ReviewRole


class ReviewSettings(Section):
    """The agency's review desk."""

    role: ReviewRole | None = Field(
        default=None,
        description="Who reviews, as the hub is told: a role, never a name. Without it there is no review desk, and "
        "what a person would have to read is withheld.",
    )
    categories: tuple[Category, ...] = Field(
        default=(), description="Categories of which all waits for a person, beside those that a rule says so of."
    )
    two_person: tuple[Category, ...] = Field(
        default=(), description="Categories that leave only when two different people have let them."
    )
    port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        default=None, description="Of the page for reviewers, on 127.0.0.1; 0 takes a free one. Without it, no page."
    )

    def waiting(self) -> tuple[Category, ...]:
        """Categories of which all waits; none without a desk."""
        return self.categories if self.role is not None else ()

    @property
    def two_person_categories(self) -> frozenset[Category]:
        """What takes two people."""
        return frozenset(self.two_person)
