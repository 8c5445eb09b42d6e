"""The coordinator's configuration: what every node has, which policy is in force, how it settles in after an outage."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from broker.coordinator.timekeeper import SETTLE_IN
from broker.node.home import Home
from broker.node.settings import NodeSettings, Section
from broker.policy.pack import Pack, PackFiles
from broker.policy.packs import ENGLAND, folder_of, gather, load


class PolicySettings(Section):
    """Which rules are in force."""

    pack: str = Field(default=ENGLAND, description="A pack that comes with the program.")
    directory: Path | None = Field(default=None, description="A pack of the hub's own instead; relative to the home.")


class TimeSettings(Section):
    """How timers behave."""

    settle_in_seconds: Annotated[int, Field(ge=0, le=600)] = Field(
        default=SETTLE_IN // timedelta(seconds=1), description="After an outage, before anybody counts as late."
    )


class CoordinatorSettings(NodeSettings):
    """The coordinator's `config.toml`."""

    policy: PolicySettings = PolicySettings()
    time: TimeSettings = TimeSettings()

    def load_policy(self, home: Home) -> Pack:
        """The policy in force.

        Raises:
            PolicyInvalid: it does not hold; the text names file, line and rule.
        """
        return load(self.gather_policy(home))

    def gather_policy(self, home: Home) -> PackFiles:
        """The files of the policy in force, as they are now.

        Raises:
            PolicyInvalid: they cannot be read.
        """
        own = self.policy.directory
        return gather(folder_of(self.policy.pack) if own is None else home.path / own)
