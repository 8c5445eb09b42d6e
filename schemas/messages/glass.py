"""How long a broken glass lasts at most, and within how long it is reviewed: what the hub's sharing agreement says.

It stands in a file of each policy version (SPEC 11.5), so it is signed and dated with the version; never more than the
bounds here. Refuses to know what a broken glass lifts: that is said by the version's rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.failures import Rejected
from schemas.messages.request import MAX_BREAK_GLASS_MS

AGREEMENTS_FILE: Final = "agreements.toml"
HOUR_MS: Final = 3_600_000
MOST_HOURS: Final = MAX_BREAK_GLASS_MS // HOUR_MS
MOST_REVIEW_HOURS: Final = 5 * 24
"""A working week: while those who were there still remember why."""


class GlassNotAgreed(Rejected):
    """A glass broken for longer than the version of the policy lets it be, or under one that lets none be broken."""

    code = "glass_not_agreed"


class GlassTable(BaseModel):
    """The table `break_glass` of that file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    at_most_hours: Annotated[int, Field(ge=1, le=MOST_HOURS)]
    review_within_hours: Annotated[int, Field(ge=1, le=MOST_REVIEW_HOURS)]


@dataclass(frozen=True, slots=True)
class GlassTerms:
    """What a hub and its agencies have agreed of broken glasses."""

    at_most_hours: int
    review_within_hours: int

    @property
    def at_most_ms(self) -> int:
        """How long one lasts at most, from when its request is asked."""
        return self.at_most_hours * HOUR_MS

    @property
    def review_within_ms(self) -> int:
        """Within how long its review is to be closed."""
        return self.review_within_hours * HOUR_MS

    @classmethod
    def of(cls, table: GlassTable) -> GlassTerms:
        """The terms that a table states."""
        return cls(table.at_most_hours, table.review_within_hours)


def glass_terms(files: Mapping[str, bytes]) -> GlassTerms | None:
    """What the files of a policy version say; None where they say nothing that holds: then no glass is broken."""
    try:
        table = tomllib.loads(files.get(AGREEMENTS_FILE, b"").decode()).get("break_glass")
        return GlassTerms.of(GlassTable.model_validate(table))
    except (ValueError, RecursionError, ValidationError):
        return None


def check_glass_lasts(lasts_ms: int, terms: GlassTerms | None) -> None:
    """That a glass is broken for no longer than was agreed.

    Args:
        lasts_ms: from when its request is asked.

    Raises:
        GlassNotAgreed: it is, or nothing was agreed.
    """
    if terms is None:
        raise GlassNotAgreed("the sharing agreements of the version in force say nothing of it: no glass is broken")
    if lasts_ms > terms.at_most_ms:
        said = f"the sharing agreements of the version in force let a glass be broken for {terms.at_most_hours} hours"
        raise GlassNotAgreed(f"{said} at most")
