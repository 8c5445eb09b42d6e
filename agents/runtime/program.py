"""An agent as a program: opened from its home, its source made by the agency's own code, run until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from agents.runtime.agent import AGENT_MIGRATIONS, Agent, build_agent
from agents.runtime.gatekeeper import Gatekeeper, load_gatekeeper
from agents.runtime.settings import AgentSettings, Configured, load_configured
from agents.runtime.source import RecordSource
from broker.node.bus.nats import NatsBus
from broker.node.clock import SystemClock
from broker.node.ground import open_ground
from broker.node.home import Home
from broker.node.metrics import Metrics
from broker.node.running import run
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


def rules_of(settings: AgentSettings, home: Home) -> Gatekeeper:
    """The gatekeeper of a home: the shipped rules and the agency's own.

    Raises:
        PolicyInvalid: see there.
    """
    directory = settings.policy.directory
    return load_gatekeeper(home.path / directory if directory is not None else None)


def run_agent(home: Home, agency: Agency) -> int:
    """Run the agent of a home until SIGTERM or SIGINT; gives back the exit status.

    Raises:
        Failure: it could not be started; the text says what to do.
    """
    configured = agency.configured(home)
    gatekeeper = rules_of(configured.settings, home)

    async def build(metrics: Metrics) -> Agent:
        source = await asyncio.get_running_loop().run_in_executor(None, agency.make_source, configured, home)
        bus = NatsBus(configured.settings.bus.url, name=agency.kind.value)
        ground = await open_ground(home, migrations=AGENT_MIGRATIONS, bus=bus, clock=SystemClock(), metrics=metrics)
        return build_agent(ground, source, gatekeeper, configured.settings)

    return run(agency.kind.value.replace("_", "-"), configured.settings.observe.port, build)
