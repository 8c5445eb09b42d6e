"""Pinning a party's file after a person has compared its fingerprint: officers, who do not come by the ceremony."""

from __future__ import annotations

import hmac
from pathlib import Path

import click

from broker.node.confirming import NotConfirmed, confirm
from broker.node.home import Home
from schemas.failures import Rejected
from schemas.messages.party import Party, read_party


def vouched(path: Path, fingerprint: str | None) -> Party:
    """The party of a file, once a person has said that its fingerprint is the right one.

    Raises:
        NotConfirmed: it is not.
    """
    try:
        party = read_party(path.read_bytes())
    except Rejected as failure:
        raise NotConfirmed(f"{path}: {failure.detail}; ask for the file again") from None
    if fingerprint is not None:
        if not hmac.compare_digest(_plain(fingerprint), _plain(party.fingerprint)):
            raise NotConfirmed(f"{path.name} has another fingerprint than the one given; ask for the file again")
        return party
    click.echo(f"{party.id} ({party.statement.party_kind}): {party.statement.name}\n  {party.fingerprint}", err=True)
    confirm(
        "Is that the fingerprint they read to you?",
        otherwise="nothing was pinned; ring them on a number that you know, and run this again",
        unasked="nobody could be asked and nothing was pinned; say what they read to you as --fingerprint",
    )
    return party


def pin_at(homes: list[Home], party: Party) -> None:
    """Pin a party in several homes; in none if one of them cannot take it.

    Raises:
        PartyFileInvalid: it clashes with a party pinned before.
    """
    for home in homes:
        home.directory().with_party(party)
    for home in homes:
        home.pin(party.raw)


def _plain(fingerprint: str) -> bytes:
    return "".join(fingerprint.lower().split()).encode()
