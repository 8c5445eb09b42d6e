"""The catalogue of need-to-know rules, R1 to R38: what each number is made of, at the hub, at the agencies, elsewhere.

The rules say themselves which number they belong to, by their id or their source. Owns no rule. The agencies' rules are
read as text, where the program lies beside them: the hub imports nothing of an agency.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import cedarpy
from pydantic import Field

import broker
from broker.policy.filters import FILTERS
from broker.policy.pack import Pack
from broker.policy.toml_file import Table, read_file

CATALOGUE_FILE: Final = "catalogue.toml"
NUMBERS: Final = tuple(f"R{number}" for number in range(1, 39))
_NUMBER: Final = re.compile(r"\bR[0-9]+\b")
_AGENCY_RULES: Final = Path(broker.__file__).parents[1] / "agents" / "runtime" / "policy"


class Also(Table):
    """What does a rule outside the policies, and the tests that show it."""

    rule: str
    by: Annotated[str, Field(min_length=1)]
    tests: Annotated[list[str], Field(min_length=2)]


class Catalogue(Table):
    """`catalogue.toml`."""

    awaited: tuple[str, ...] = ()
    rule: dict[str, str]
    also: tuple[Also, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """Where a number of the catalogue lives."""

    number: str
    says: str
    packs: Mapping[str, tuple[str, ...]]
    """Rule ids by the name of the pack."""
    agency: tuple[str, ...]
    also: tuple[Also, ...]

    @property
    def is_made(self) -> bool:
        """Whether anything makes it."""
        return bool(self.agency or self.also or any(self.packs.values()))


def read_catalogue() -> Catalogue:
    """The catalogue as it ships.

    Raises:
        PolicyInvalid: it does not hold.
    """
    raw = (resources.files("broker.policy") / CATALOGUE_FILE).read_bytes()
    return read_file(CATALOGUE_FILE, raw, Catalogue)


def homes(packs: Iterable[Pack]) -> tuple[Home, ...]:
    """Where each number lives."""
    catalogue, agency = read_catalogue(), agency_rules()
    filters = {rule.id: rule.source for rule in FILTERS.values()}
    hub = {
        pack.name: {**filters, **{rule.id: rule.annotations.get("source", "") for rule in pack.cedar.rules.values()}}
        for pack in packs
    }
    return tuple(
        Home(
            number=number,
            says=catalogue.rule.get(number, ""),
            packs={name: _of(number, rules) for name, rules in hub.items()},
            agency=_of(number, agency),
            also=tuple(one for one in catalogue.also if one.rule == number),
        )
        for number in NUMBERS
    )


def agency_rules() -> dict[str, str]:
    """The source of each rule that ships with an agent, by the rule's id; none where no agent lies beside the hub."""
    found: dict[str, str] = {}
    for file in sorted(_AGENCY_RULES.glob("*.cedar")):
        for policy in cedarpy.PolicySet.from_str(file.read_text("utf-8")).to_pst().static_policies.values():
            found[policy.annotations.get("id") or ""] = policy.annotations.get("source") or ""
    return found


def _of(number: str, rules: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(rule for rule, source in rules.items() if number in _NUMBER.findall(f"{rule} {source}")))
