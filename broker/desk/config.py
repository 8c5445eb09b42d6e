"""The desk's configuration: what every node has, and the hub's clock table. Read once at the start and frozen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from broker.desk.deadlines import SHORTEST_LEAD_MS, DeadlineTable, Span
from broker.node.settings import NodeSettings, Section
from schemas.vocabulary import Rag


class Elapsed(Section):
    """A length of elapsed time, in exactly one unit: hours on the clock, not working hours."""

    elapsed_hours: Annotated[int, Field(gt=0)] | None = None
    elapsed_seconds: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Elapsed:
        if (self.elapsed_hours is None) == (self.elapsed_seconds is None):
            raise ValueError("needs either elapsed_hours or elapsed_seconds")
        return self

    @property
    def milliseconds(self) -> int:
        """The length in milliseconds."""
        return (self.elapsed_hours or 0) * 3_600_000 + (self.elapsed_seconds or 0) * 1000


class ClockLine(Section):
    """A line of the clock table, counted from when the enquiry was received."""

    deadline: Elapsed
    expiry: Elapsed

    @model_validator(mode="after")
    def _in_order(self) -> ClockLine:
        self.span()
        return self

    def span(self) -> Span:
        """The line in milliseconds.

        Raises:
            ValueError: deadline and expiry are in the wrong order, or too long.
        """
        return Span(self.deadline.milliseconds, self.expiry.milliseconds)


class AskingSettings(Section):
    """How requests are asked."""

    shortest_lead_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=SHORTEST_LEAD_MS // 1000, description="A deadline nearer than this would pass before it is signed."
    )


class DeskSettings(NodeSettings):
    """The desk's `config.toml`."""

    deadlines: dict[Rag, ClockLine]
    asking: AskingSettings = AskingSettings()

    def table(self) -> DeadlineTable:
        """The clock table."""
        spans = {rag: line.span() for rag, line in self.deadlines.items()}
        return DeadlineTable(spans, self.asking.shortest_lead_seconds * 1000)
