"""A small file of people in a home, owner-only: by each one's id what this party keeps of them, as JSON.

Read whenever it is wanted, so that who is added or taken away counts at once. Refuses to know what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from broker.node.home import write_whole
from broker.node.settings import Section
from broker.node.toml_table import SettingsInvalid


def read_people(path: Path) -> object:
    """What is in the file, unchecked; nobody if there is no such file.

    Raises:
        SettingsInvalid: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise SettingsInvalid(f"{path} cannot be read as JSON") from None


def write_people(path: Path, people: Mapping[str, Section]) -> None:
    """Write the file whole or not at all."""
    members = {one: kept.model_dump(mode="json", exclude_none=True) for one, kept in people.items()}
    write_whole(path, json.dumps(members, ensure_ascii=False, indent=1).encode())
