"""What an agency's program is made of: its kind, its defaults, and how its source is made of its settings.

Refuses to know how an agent runs, so that a command that runs none does not load it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from agents.runtime.settings import Configured, load_configured
from agents.runtime.source import RecordSource
from broker.node.home import Home
from schemas.failures import Failure
from schemas.vocabulary import AgencyKind

SourceOf: TypeAlias = Callable[[Mapping[str, Any], Path], RecordSource]
"""The agency's section of `config.toml` and the home's path to a source, or a `Failure` that names the key."""


class SourceNotMade(Failure):
    """The agency's own code could not make a source of its section."""

    code = "source_not_made"


@dataclass(frozen=True, slots=True)
class Agency:
    """What an agency's program is made of."""

    kind: AgencyKind
    source_of: SourceOf
    defaults: Path

    def configured(self, home: Home) -> Configured:
        """The settings of a home over the agency's defaults.

        Raises:
            SettingsInvalid: the text names file and key.
        """
        return load_configured(home.config_path, self.kind, self.defaults)

    def make_source(self, configured: Configured, home: Home) -> RecordSource:
        """The source of a home.

        Raises:
            SourceNotMade, or what the agency's code raises: the text names the key.
        """
        try:
            return self.source_of(configured.section, home.path)
        except Failure:
            raise
        except ValueError as error:
            # pydantic's ValidationError is a ValueError; its models here hide what was put in.
            first = str(error).splitlines()[:2]
            raise SourceNotMade(f"section [{self.kind.value}] of config.toml: {' '.join(first)}") from None
