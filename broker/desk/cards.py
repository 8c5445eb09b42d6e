"""What agencies are told of each officer: name, position, contact; one small file of the desk's home.

Names of officers are here and in what is sealed to agencies and IG leads, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from broker.node.home import Home
from broker.node.people_file import read_people, write_people
from broker.node.settings import Section, settings_of
from schemas.messages.fields import Line, Slug
from schemas.messages.request import OfficerNamed

_FILE: Final = "officers.json"


class OfficerCard(Section):
    """What an agency is told of an officer who asks."""

    name: Line
    position: Line
    contact: Line | None = None


class _Cards(Section):
    officers: dict[Slug, OfficerCard]


def load_cards(home: Home) -> Mapping[str, OfficerCard]:
    """The cards of a desk; none if none was ever added.

    Raises:
        SettingsInvalid: the file does not hold; the text names the key.
    """
    path = home.path / _FILE
    return settings_of({"officers": read_people(path)}, _Cards, str(path)).officers


def add_card(home: Home, officer: str, card: OfficerCard) -> None:
    """Add or replace an officer's card."""
    write_people(home.path / _FILE, {**load_cards(home), officer: card})


def remove_card(home: Home, officer: str) -> None:
    """Take an officer's card away; nothing if there is none."""
    write_people(home.path / _FILE, {name: card for name, card in load_cards(home).items() if name != officer})


def named(cards: Mapping[str, OfficerCard]) -> dict[str, OfficerNamed]:
    """The cards as they stand in a sealed body."""
    return {
        officer: OfficerNamed(id=officer, name=card.name, position=card.position, contact=card.contact)
        for officer, card in cards.items()
    }
