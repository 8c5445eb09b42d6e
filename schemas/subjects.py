"""Every bus subject, who may use it and for what (SPEC 4.6). Tokens stand for parties; no name is ever in a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.messages.party import Party, PartyKind
from schemas.messages.transport import (
    Acknowledgement,
    Deed,
    Delivery,
    DirectoryIssue,
    DirectoryQuery,
    Flooding,
    Head,
    Hello,
    LogPage,
    LogQuery,
    Notice,
    NotTaken,
    Outer,
    PolicyIssue,
    Released,
    Renewal,
    Submission,
)

HUB_COORDINATOR: Final = "hub.coordinator"
HUB_DESK: Final = "hub.desk"
HUB_ADMISSION: Final = "hub.admission"
TOKEN: Final = "<token>"  # noqa: S105
"""Stands in a route for the token of the agent that it leads to or comes from."""


@dataclass(frozen=True, slots=True)
class Route:
    """The subject on which one kind of party reaches another, and what it may send there."""

    subject: str
    kinds: tuple[type[Outer], ...]


ROUTES: Final[Mapping[tuple[PartyKind, PartyKind], Route]] = {
    (PartyKind.DESK, PartyKind.COORDINATOR): Route(
        HUB_COORDINATOR,
        (Submission, Deed, Acknowledgement, Hello, LogQuery),
    ),
    (PartyKind.COORDINATOR, PartyKind.DESK): Route(
        HUB_DESK,
        (Notice, NotTaken, Acknowledgement, Head, LogPage),
    ),
    (PartyKind.COORDINATOR, PartyKind.AGENT): Route(
        f"to.{TOKEN}.in",
        (Delivery, Notice, PolicyIssue, Acknowledgement, Head, LogPage),
    ),
    (PartyKind.AGENT, PartyKind.COORDINATOR): Route(
        f"from.{TOKEN}.coordinator",
        (Deed, Acknowledgement, Hello, LogQuery),
    ),
    (PartyKind.AGENT, PartyKind.DESK): Route(
        f"from.{TOKEN}.desk",
        (Released, Acknowledgement),
    ),
    (PartyKind.DESK, PartyKind.AGENT): Route(f"to.{TOKEN}.desk", (Acknowledgement, Hello)),
    (PartyKind.AGENT, PartyKind.ADMISSION): Route(
        f"from.{TOKEN}.admission",
        (Renewal, DirectoryQuery, Acknowledgement),
    ),
    (PartyKind.ADMISSION, PartyKind.AGENT): Route(
        f"to.{TOKEN}.admission",
        (DirectoryIssue, Acknowledgement),
    ),
    (PartyKind.COORDINATOR, PartyKind.ADMISSION): Route(
        HUB_ADMISSION,
        (Renewal, DirectoryQuery, Flooding, Acknowledgement),
    ),
    (PartyKind.ADMISSION, PartyKind.COORDINATOR): Route(
        HUB_COORDINATOR,
        (Deed, DirectoryIssue, Acknowledgement),
    ),
    (PartyKind.DESK, PartyKind.ADMISSION): Route(
        HUB_ADMISSION,
        (Renewal, DirectoryQuery, Flooding, Acknowledgement),
    ),
    (PartyKind.ADMISSION, PartyKind.DESK): Route(
        HUB_DESK,
        (DirectoryIssue, Acknowledgement),
    ),
}
"""Officers and agents among themselves do not talk over the bus: what is not in the table is refused."""


def listens_on(party: Party) -> tuple[str, ...]:
    """The subjects a party subscribes to; wildcards in NATS's notation.

    An agent with two accounts, during a rotation, has a subject in each; a connection belongs to one account, and the
    server lets it subscribe to that one's only.
    """
    match party.statement.party_kind:
        case PartyKind.COORDINATOR:
            return (HUB_COORDINATOR, "from.*.coordinator")
        case PartyKind.DESK:
            return (HUB_DESK, "from.*.desk")
        case PartyKind.AGENT:
            return tuple(f"to.{token}.>" for token in party.tokens)
        case PartyKind.ADMISSION:
            return (HUB_ADMISSION, "from.*.admission")
        case PartyKind.OFFICER:
            return ()


def subject_for(sender: Party, receiver: Party) -> str:
    """The subject on which `sender` reaches `receiver`: in the agent's newest account, where there is an agent.

    Raises:
        ValueError: those two do not talk over the bus.
    """
    return subjects_of(sender, receiver)[0]


def subjects_of(sender: Party, receiver: Party) -> tuple[str, ...]:
    """Every subject on which `receiver` may hear `sender`: one an account of the agent, the newest first.

    Raises:
        ValueError: those two do not talk over the bus.
    """
    route = ROUTES.get((sender.statement.party_kind, receiver.statement.party_kind))
    if route is None:
        raise ValueError("those two parties do not talk over the bus")
    if TOKEN not in route.subject:
        return (route.subject,)
    agent = sender if sender.statement.party_kind is PartyKind.AGENT else receiver
    return tuple(route.subject.replace(TOKEN, token) for token in agent.tokens)


def subject_back(heard_on: str, me: Party, sender: Party) -> str:
    """The subject on which to answer what was heard on `heard_on`: in the account it came from, if that still counts.

    An agent that renews with a new account hears the answer in the old one: it goes on there until it has that answer.

    Raises:
        ValueError: those two do not talk over the bus.
    """
    subjects = subjects_of(me, sender)
    came_from = heard_on.split(".")[1]
    return next((subject for subject in subjects if subject.split(".")[1] == came_from), subjects[0])


def may_send(sender: PartyKind, receiver: PartyKind, message: Outer) -> bool:
    """Whether a party of the one kind may send that kind of message to a party of the other."""
    route = ROUTES.get((sender, receiver))
    return route is not None and isinstance(message, route.kinds)
