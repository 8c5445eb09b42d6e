"""A synthetic county: invented people in households, and what four agencies would hold about them.

`build_county` draws the same county from the same seed, at any size; `write_county` writes each agency's own records in
the shape such an agency really has. The hard cases of DOMAIN section 9 are in every county under stable keys
(`cases.CASES`). Nothing here knows the broker: an agency's reader must find people as it would in life.
"""

from broker.demo.county.build import build_county
from broker.demo.county.model import County, Household, HouseholdId, Person, PersonId
from broker.demo.county.write import write_county

__all__ = ["County", "Household", "HouseholdId", "Person", "PersonId", "build_county", "write_county"]
