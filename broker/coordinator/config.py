"""The coordinator's configuration: what every node has, how it settles in after an outage."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from broker.coordinator.timekeeper import SETTLE_IN
from broker.node.settings import NodeSettings, Section


class TimeSettings(Section):
    """How timers behave."""

    settle_in_seconds: Annotated[int, Field(ge=0, le=600)] = Field(
        default=SETTLE_IN // timedelta(seconds=1), description="After an outage, before anybody counts as late."
    )


class CoordinatorSettings(NodeSettings):
    """The coordinator's `config.toml`."""

    time: TimeSettings = TimeSettings()
