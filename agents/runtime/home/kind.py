"""Which kind of agency a home is of: all that is read before that agency's own program takes over."""

from __future__ import annotations

from pathlib import Path

from broker.node.toml_table import SettingsInvalid, read_table
from schemas.vocabulary import AgencyKind


def kind_in(path: Path) -> AgencyKind:
    """The kind that a `config.toml` names.

    Raises:
        SettingsInvalid: the file cannot be read or names no kind.
    """
    try:
        return AgencyKind(read_table(path).get("kind", ""))
    except ValueError:
        raise SettingsInvalid(f"{path}: kind is missing or unknown; it is one of {', '.join(AgencyKind)}") from None
