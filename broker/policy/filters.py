"""The hub's rules that are no Cedar policies: they look at days and signatories, or stand for there being no rule.

Each has an id, a sentence and a source as every policy has, and stands in the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.node.policy import NO_PERMIT, POLICY_ERROR

OUT_OF_TIME: Final = "out-of-time"
"""Refuses a request whose deadline has passed before it was decided."""
OTHER_NATION: Final = "R2-basis-of-another-nation"
"""Refuses a legal basis that is not law where the hub is."""
NOT_IN_FORCE: Final = "R2-basis-not-in-force"
"""Refuses a legal basis that is not in force on the day."""
NO_AGREEMENT: Final = "R33-no-agreement"
"""Refuses to ask an agency that has signed no sharing agreement."""
AGREEMENT_NOT_IN_FORCE: Final = "R33-agreement-not-in-force"
"""Refuses to ask under an agreement that has not begun or has ended."""
PURPOSE_NOT_AGREED: Final = "R33-purpose-not-agreed"
"""Refuses to ask for a purpose that is in no agreement the agency has signed."""

GLASS_NOT_AGREED: Final = "R31-break-glass-not-agreed"
"""Refuses a broken glass where the sharing agreements say nothing of one."""
GLASS_TOO_LONG: Final = "R31-break-glass-too-long"
"""Refuses a glass that is broken for longer than the sharing agreements let it be."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A rule in code."""

    id: str
    sentence: str
    source: str


FILTERS: Final[Mapping[str, Filter]] = {
    one.id: one
    for one in (
        Filter(NO_PERMIT, "What no rule permits is not asked.", "DOMAIN R1"),
        Filter(POLICY_ERROR, "Where the rules cannot be evaluated, nothing is asked.", "DOMAIN R1; DESIGN section 2"),
        Filter(OUT_OF_TIME, "A request whose deadline has passed is not asked.", "DESIGN section 2"),
        Filter(
            OTHER_NATION,
            "A legal basis that is law in another nation only is none here.",
            "DOMAIN R2, section 6.3",
        ),
        Filter(
            NOT_IN_FORCE,
            "A legal basis that is not in force on the day of the request is none.",
            "DOMAIN R2, section 6.3",
        ),
        Filter(
            NO_AGREEMENT,
            "An agency that has signed no sharing agreement with the hub is asked for nothing.",
            "DOMAIN R33; ICO data sharing code of practice",
        ),
        Filter(
            AGREEMENT_NOT_IN_FORCE,
            "Under a sharing agreement that has not begun, or has ended, nothing is asked.",
            "DOMAIN R33; DfE dated sharing agreements",
        ),
        Filter(
            PURPOSE_NOT_AGREED,
            "For a purpose that stands in no sharing agreement of the agency, nothing is asked.",
            "DOMAIN R33; UK GDPR Art 5(1)(b)",
        ),
        Filter(GLASS_NOT_AGREED, "Where the sharing agreements say nothing of it, no glass is broken.", "DOMAIN R31"),
        Filter(
            GLASS_TOO_LONG,
            "A glass is broken for no longer than the sharing agreements let it be.",
            "DOMAIN R31",
        ),
    )
}
"""By id."""
