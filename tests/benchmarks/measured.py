"""What every measured party can be asked, whichever it is."""

from __future__ import annotations

from typing import Any

from broker.node.running import Program
from tests.benchmarks.profiling import Profiles
from tests.benchmarks.timeline import Timeline


class MeasuredParty:
    """A running party and what can be asked of every one."""

    def __init__(self, program: Program, timeline: Timeline, profiles: Profiles) -> None:
        self.program = program
        self.timeline = timeline
        self.profiles = profiles

    async def answer(self, what: str, details: dict[str, Any]) -> Any:
        """Answer the driver's question."""
        match what:
            case "waiting":
                return len(self.program.ground.post.outbox)
            case "note":
                self.timeline.is_noting = bool(details["on"])
                self.timeline.forget()
            case "noted":
                return {"instants": self.timeline.instants, "sizes": self.timeline.sizes, "codes": self.timeline.codes}
            case "profile":
                self.profiles.begin()
            case "profiled":
                return self.profiles.end(int(details["top"]))
            case "halted":
                halted = self.program.ground.post.halted
                return halted.result().code if halted.done() else None
            case _:
                raise ValueError(f"unknown question {what}")
        return None
