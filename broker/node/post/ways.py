"""On which subject a message leaves or came, while an agent changes from one account of the bus to another.

An agent that states a new account goes on in the old one until admission has let the new one in. Refuses to know
what a message is.
"""

from __future__ import annotations

from schemas.messages.party import Party, PartyKind
from schemas.subjects import listens_on, subject_back, subject_for


def outwards(me: Party, receiver: Party | None, written: str, account: str | None) -> str:
    """Where a message goes now that was written for the subject `written`.

    Args:
        receiver: by its newest statement, in which it may have another account; None if it is gone.
        account: the one that the bus knows `me` by, if its own newest statement names another already.
    """
    return from_account(me, written if receiver is None else subject_for(me, receiver), account)


def listens(me: Party, account: str | None) -> tuple[str, ...]:
    """Where `me` is spoken to: in the accounts that its newest statement names, and in the one it is known by."""
    return tuple(dict.fromkeys((*listens_on(me), *(from_account(me, one, account) for one in listens_on(me)))))


def back(me: Party, sender: Party, heard_on: str, account: str | None) -> str:
    """Where the acknowledgement of a message goes: to the account it came from."""
    return from_account(me, subject_back(heard_on, me, sender), account)


def from_account(me: Party, subject: str, account: str | None) -> str:
    """A subject in the account that the bus knows `me` by."""
    if account is None or me.statement.party_kind is not PartyKind.AGENT:
        return subject
    return subject.replace(me.token, account)
