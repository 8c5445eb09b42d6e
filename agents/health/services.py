"""Which service an episode or a contact is of, and what protects it: read once for all categories that need it.

Refuses to know what a category tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.health import mapping
from agents.health.elements import Concept
from agents.health.mapping import ServiceUse
from agents.health.reading import Holdings, Unreadable, labels_of
from agents.health.resources import CareTeam, Encounter, EpisodeOfCare
from agents.runtime.source import Label, LocalPerson

_VISIT: Final = "HH"
_SILENT: Final[Mapping[ServiceUse | None, Label]] = {
    ServiceUse.FERTILITY: Label.FERTILITY,
    ServiceUse.SEXUAL_HEALTH: Label.SEXUAL_HEALTH,
}
"""Services that nothing is told of, the strictest first; another service beside one changes nothing."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode of care and the service it is of."""

    resource: EpisodeOfCare = field(repr=False)
    use: ServiceUse
    labels: frozenset[Label]


@dataclass(frozen=True, slots=True)
class Contact:
    """An encounter that took place, and the service that had it where that is known."""

    resource: Encounter = field(repr=False)
    use: ServiceUse | None
    labels: frozenset[Label]


def episodes_of(holdings: Holdings, who: LocalPerson) -> Iterator[Episode | Unreadable]:
    """The episodes of a patient; of a child expected, those of the midwives with its mother."""
    for found in holdings.of("EpisodeOfCare", EpisodeOfCare, who.mother_ref or who.ref):
        if isinstance(found, Unreadable):
            yield found
        elif found.status != mapping.ENTERED_IN_ERROR:
            use = _use_of(holdings, found.type)
            if use is None:
                yield Unreadable(found.id, "type")
            elif who.mother_ref is None or use is ServiceUse.MIDWIFERY:
                yield Episode(found, use, labels_of(found) | _labels(use))


def contacts_of(holdings: Holdings, who: LocalPerson) -> Iterator[Contact | Unreadable]:
    """The encounters of a patient that took place; with a child expected there are none yet."""
    for found in holdings.of("Encounter", Encounter, who.ref) if who.expected_on is None else ():
        if isinstance(found, Unreadable):
            yield found
        elif found.status not in mapping.ENCOUNTER_STATUSES or found.kind.code not in mapping.ENCOUNTER_CLASSES:
            yield Unreadable(found.id, "status" if found.status not in mapping.ENCOUNTER_STATUSES else "class")
        elif found.status not in mapping.DID_NOT_HAPPEN:
            use = _use_of(holdings, found.type)
            if use is None and found.kind.code == _VISIT:
                yield Unreadable(found.id, "type")
            else:
                yield Contact(found, use, labels_of(found) | _labels(use))


def team_of(holdings: Holdings, episode: EpisodeOfCare) -> CareTeam | None:
    """The first team of an episode.

    Raises:
        FieldBroken: it does not hold.
    """
    teams = (holdings.led_to(one, "CareTeam", CareTeam) for one in episode.team)
    return next((team for team in teams if team is not None), None)


def _use_of(holdings: Holdings, types: Iterable[Concept]) -> ServiceUse | None:
    known = {**mapping.SERVICES, **holdings.config.services}
    uses = {known[code] for concept in types for code in concept.codes if code in known}
    if len(uses) > 1:
        return next((use for use in _SILENT if use in uses), None)
    return next(iter(uses), None)


def _labels(use: ServiceUse | None) -> frozenset[Label]:
    return frozenset({_SILENT[use]}) if use in _SILENT else frozenset()
