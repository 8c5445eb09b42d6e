"""What agencies are told of each officer: name, position, contact; one small file of the desk's home.

Names of officers are here and in what is sealed to agencies and IG leads, and nowhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Final

from broker.node.home import Home
from broker.node.settings import Section, settings_of
from broker.node.toml_table import SettingsInvalid
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
    try:
        members = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise SettingsInvalid(f"{path} cannot be read as JSON") from None
    return settings_of({"officers": members}, _Cards, str(path)).officers


def add_card(home: Home, officer: str, card: OfficerCard) -> None:
    """Add or replace an officer's card."""
    _write(home, {**load_cards(home), officer: card})


def remove_card(home: Home, officer: str) -> None:
    """Take an officer's card away; nothing if there is none."""
    _write(home, {name: card for name, card in load_cards(home).items() if name != officer})


def named(cards: Mapping[str, OfficerCard]) -> dict[str, OfficerNamed]:
    """The cards as they stand in a sealed body."""
    return {
        officer: OfficerNamed(id=officer, name=card.name, position=card.position, contact=card.contact)
        for officer, card in cards.items()
    }


def _write(home: Home, cards: Mapping[str, OfficerCard]) -> None:
    path = home.path / _FILE
    temporary = path.with_suffix(".new")
    members = {officer: card.model_dump(mode="json", exclude_none=True) for officer, card in cards.items()}
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(members, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
