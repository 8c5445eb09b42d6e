"""What happened to the `family` of every county, in days before the county's day: one story that four agencies each saw
a part of.

The agencies' modules put their own part into their own words and shapes; this one says only when and what, so that the
parts fit together in a chronology.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

EARLIER_CONVICTION: Final = 2_300
"""The stepfather is convicted of battery of a former partner."""
PROTECTION_PLAN_BEGAN: Final = 700
PROTECTION_PLAN_ENDED: Final = 240
"""The index child's earlier child protection plan: over, but within twelve months."""
SENTENCED: Final = 560
"""The stepfather is sentenced to prison for wounding a man in a public house."""
RELEASED: Final = 210
"""He is released on licence, to another address than the family's."""
MOVED_IN: Final = 120
"""He is seen to live with the family."""
BABY_BORN: Final = 130
FIRST_INCIDENT: Final = 63
"""Neighbours call police: shouting, the children upstairs."""
MISSED_SPEECH_THERAPY: Final = 45
SCHOOL_CONCERN: Final = 37
SECOND_INCIDENT: Final = 21
"""The mother is assaulted; the index child saw it."""
EMERGENCY_VISIT: Final = 20
"""The index child is seen with a bruised forearm."""
MISSED_FRACTURE_CLINIC: Final = 13
MARAC: Final = 10
SCHOOL_DISCLOSURE: Final = 2
"""The child tells a teaching assistant; the school calls the hub."""


def ago(as_of: date, days: int) -> date:
    """Return the day so many days before the county's day."""
    return as_of - timedelta(days=days)
