"""What each agreement is worth: the weights file, read once, strictly, and named by its digest.

Agents read the file that ships with them; `agents.training` writes it. Its SHA-256 stands in every answer, so it holds
all that a score depends on: probabilities, prior, thresholds, term frequencies, spellings and nicknames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.runtime.matching.levels import FIELDS, Family, Given
from agents.runtime.matching.names import FormGroups, Forms
from schemas.envelope import digest
from schemas.failures import GroundLost

WEIGHTS_PATH: Final = Path(__file__).with_name("weights.json")
_WEIGHTS_BYTES: Final = 1024 * 1024
_COUNTED_LEVELS: Final[Mapping[str, tuple[Enum, ...]]] = {
    "given": (Given.SAME, Given.FIRST),
    "family": (Family.SAME,),
}
"""Where how common the name is counts: agreeing on a rare name says more."""

Chance = Annotated[float, Field(gt=0, lt=1)]


class WeightsBroken(GroundLost):
    """The weights file cannot be used: without it nobody can be matched, and nobody may be called unknown."""

    code = "weights_broken"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class LevelChances(_Part):
    """How often a level is met: `m` between two records of one person, `u` between records of two."""

    m: Chance
    u: Chance


class FormLists(_Part):
    """Words that are forms of one name, group by group."""

    spellings: list[list[str]]
    nicknames: list[list[str]]


class WeightsFile(_Part):
    """The weights file as it is written."""

    version: Literal[1]
    trained_with: str
    trained_on: list[str]
    prior: Chance
    """Chance that a record taken at random is the person asked about, before anything is compared."""
    release_from: Chance
    """Chance from which a record is the person asked about."""
    possible_from: Chance
    """Chance from which it may be."""
    fields: dict[str, dict[str, LevelChances]]
    frequencies: dict[str, dict[str, Chance]]
    """Share of all people who bear a name, for given names and family names that are common enough to be counted."""
    forms: FormLists

    @model_validator(mode="after")
    def _names_every_level(self) -> WeightsFile:
        if list(self.fields) != list(FIELDS):
            raise ValueError("fields are not those that are compared")
        for name, levels in self.fields.items():
            if list(levels) != [level.value for level in FIELDS[name]]:
                raise ValueError(f"levels of {name} are not those that are compared")
        if set(self.frequencies) != set(_COUNTED_LEVELS):
            raise ValueError("frequencies are of given and family names")
        if not self.possible_from < self.release_from:
            raise ValueError("possible_from < release_from does not hold")
        return self


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """What one field adds: the level, its weight, and what the name's rarity adds to that."""

    field: str
    level: str
    weight: float
    rarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights ready to be added up: powers of two for and against."""

    digest: str
    prior: float
    release_from: float
    """Weight from which a record is the person asked about."""
    possible_from: float
    of: Mapping[Enum, FieldWeight] = field(repr=False)
    """What a level adds to the sum, whatever the name."""
    rarity: Mapping[Enum, Mapping[str, float]] = field(repr=False)
    """What is added for a name on a counted level: more the rarer it is, less the commoner."""
    forms: Forms = field(repr=False)


def read_weights(raw: bytes) -> Weights:
    """The weights that a file holds.

    Raises:
        WeightsBroken: it is not a weights file, or lacks a level; the text names the member.
    """
    if len(raw) > _WEIGHTS_BYTES:
        raise WeightsBroken("weights file: larger than any")
    try:
        written = WeightsFile.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise WeightsBroken(f"weights file: {where}: {first['msg'].lower()}") from None
    of: dict[Enum, FieldWeight] = {
        FIELDS[name](level): FieldWeight(name, level, math.log2(chances.m / chances.u))
        for name, levels in written.fields.items()
        for level, chances in levels.items()
    }
    rarity = {
        level: {
            word: math.log2(written.fields[name][level.value].u / share)
            for word, share in written.frequencies[name].items()
        }
        for name, levels in _COUNTED_LEVELS.items()
        for level in levels
    }
    return Weights(
        digest=digest(raw),
        prior=log_odds(written.prior),
        release_from=log_odds(written.release_from),
        possible_from=log_odds(written.possible_from),
        of=of,
        rarity=rarity,
        forms=Forms(FormGroups(written.forms.spellings), FormGroups(written.forms.nicknames)),
    )


@cache
def shipped_weights() -> Weights:
    """The weights that come with this version.

    Raises:
        WeightsBroken: the file is not there or does not hold.
    """
    try:
        return read_weights(WEIGHTS_PATH.read_bytes())
    except OSError as error:
        raise WeightsBroken(f"weights file: cannot be read ({type(error).__name__})") from None


def log_odds(chance: float) -> float:
    """A chance as a power of two for against."""
    return math.log2(chance / (1 - chance))


def chance_of(weight: float) -> float:
    """The chance that a power of two for against says."""
    return 1 / (1 + 2 ** min(-weight, 1000.0))
