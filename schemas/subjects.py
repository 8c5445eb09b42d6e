"""Every bus subject and who may use it (SPEC 4.6). Tokens stand for parties; no name is ever in a subject.

to.<token>.in           the coordinator to the agent of that token
from.<token>.coordinator   that agent to the coordinator
from.<token>.desk          that agent to the desk
to.<token>.desk         the desk to the agent (acknowledgements of answers)
hub.coordinator         desk to coordinator
hub.desk                coordinator to desk
"""

from __future__ import annotations

from typing import Final

from schemas.messages.party import Party, PartyKind

HUB_COORDINATOR: Final = "hub.coordinator"
HUB_DESK: Final = "hub.desk"


def listens_on(party: Party) -> tuple[str, ...]:
    """The subjects a party subscribes to; wildcards in NATS's notation."""
    match party.statement.party_kind:
        case PartyKind.COORDINATOR:
            return (HUB_COORDINATOR, "from.*.coordinator")
        case PartyKind.DESK:
            return (HUB_DESK, "from.*.desk")
        case PartyKind.AGENT:
            return (f"to.{party.token}.>",)
        case PartyKind.OFFICER:
            return ()


def subject_for(sender: Party, receiver: Party) -> str:
    """The subject on which `sender` reaches `receiver`.

    Raises:
        ValueError: those two do not talk over the bus.
    """
    match sender.statement.party_kind, receiver.statement.party_kind:
        case PartyKind.COORDINATOR, PartyKind.AGENT:
            return f"to.{receiver.token}.in"
        case PartyKind.DESK, PartyKind.AGENT:
            return f"to.{receiver.token}.desk"
        case PartyKind.AGENT, PartyKind.COORDINATOR:
            return f"from.{sender.token}.coordinator"
        case PartyKind.AGENT, PartyKind.DESK:
            return f"from.{sender.token}.desk"
        case PartyKind.DESK, PartyKind.COORDINATOR:
            return HUB_COORDINATOR
        case PartyKind.COORDINATOR, PartyKind.DESK:
            return HUB_DESK
        case _:
            raise ValueError("those two parties do not talk over the bus")
