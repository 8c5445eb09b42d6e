"""The `[probation]` section of the agent's `config.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from broker.node.settings import Section


class ProbationConfig(Section):
    """Where the export is, and which of its registers are not told.

    Raises:
        ValidationError: a key is unknown or a value is not of its kind; the text names the key.
    """

    folder: Path
    """The folder of JSON files; a relative one is taken from the agent's home."""
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """How long ago a file that is no JSON must have been changed to count as broken, and not as being written."""
    untold_registers: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{2,8}$")], ...] = ()
    """Codes of registers that the region keeps and does not tell; any other unknown code breaks its record."""
