"""What `keys list` shows and `keys rotate` does, for a program that runs and for a home at rest; said the same way.

Plain values in and out: the commands of agent and hub print them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker.node.clock import DAY_MS
from broker.node.command_client import CommandClient, NotRunning
from broker.node.doctor.expiring import expiries
from broker.node.home import Home
from broker.node.keyfile import write_key_file
from broker.node.rotation import rotate_at_rest
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.fields import encode_base64
from schemas.messages.party import StatedKey


class LeadKeyMissing(Failure):
    """The IG lead's key is replaced, and nobody said where the new private key is to be written."""

    code = "lead_key_missing"


def list_keys(home: Home, now: int) -> list[dict[str, Any]]:
    """Every key that a party states, what it is worth now, and how many days are left; then what else ends.

    Raises:
        HomeInvalid: there is no party here.
    """
    own = home.own()
    keys = [
        {
            "what": one.key.purpose.value,
            "id": one.key.id,
            "epoch": one.epoch,
            "standing": _standing(one, now),
            "not_before": one.not_before,
            "not_after": one.not_after,
            "days_left": max((one.not_after - now) // DAY_MS, 0),
        }
        for one in sorted(own.keys, key=lambda one: (one.key.purpose, one.not_before))
    ]
    stated = {one.key.purpose.value for one in own.keys}
    others = [
        {
            "what": one.label,
            "id": "",
            "epoch": 0,
            "standing": "in force" if now < one.ends_at else "ended",
            "not_before": 0,
            "not_after": one.ends_at,
            "days_left": max((one.ends_at - now) // DAY_MS, 0),
        }
        for one in expiries(home)
        if one.label not in stated
    ]
    return [*keys, *others]


def line_of(listed: Mapping[str, Any]) -> str:
    """One of `list_keys` as a line for a person."""
    number = f" {listed['epoch']}" if listed["epoch"] else ""
    left = f"{listed['days_left']:>4} days"
    return f"{listed['what'] + number:<22} {listed['standing']:<10} {left}  {listed['id']}".rstrip()


def rotate_key(
    home: Home, purpose: KeyPurpose, *, emergency: bool, lead_key: Path | None, now: int
) -> Mapping[str, Any]:
    """Replace a key, by the program that runs or in the home at rest.

    Args:
        lead_key: where the IG lead's new private key goes, if it is that key.

    Raises:
        LeadKeyMissing, KeyFileInvalid: about that file.
        CommandFailed, NotRotatedHere, RotationUnderWay: it cannot be replaced so; the text says why.
    """
    public = b""
    if purpose is KeyPurpose.ADDENDUM:
        if lead_key is None:
            raise LeadKeyMissing("say where the IG lead's new private key is to be written: --ig-lead-key FILE")
        lead = Identity.generate(KeyPurpose.ADDENDUM)
        write_key_file(lead_key, f"ig-lead of {home.own().id}", {KeyPurpose.ADDENDUM: lead.seed()})
        public = lead.public.raw
    asked = {"purpose": purpose.value, "emergency": emergency, "public": encode_base64(public)}
    try:
        told: Mapping[str, Any] = CommandClient(home.socket_path).ask("rotate-key", asked)
    except NotRunning:
        me = rotate_at_rest(home, purpose, emergency=emergency, now=now, public=public)
        return {"party": me.id, "serial": me.statement.serial, "purpose": purpose.value, "running": False}
    return {**told, "running": True}


def said_of(rotated: Mapping[str, Any], *, emergency: bool) -> str:
    """A rotation in words, with what remains to be done."""
    what = f"{rotated['purpose']} key of {rotated['party']}"
    if rotated["purpose"] == KeyPurpose.TLS:
        first = f"made a new {what}; it is used, and the old one destroyed, as soon as its certificate has come"
        # Nobody is let in by a certificate alone, and none is revoked: it is the user's key that ends what it was for.
        first += "\nthe old certificate holds until it ends: rotate bus-user with --emergency too" if emergency else ""
    elif emergency:
        first = f"revoked the {what} and made a new one, in force at once"
    elif rotated["purpose"] == KeyPurpose.BUS_ACCOUNT:
        first = f"made a new {what}; it is used as soon as admission lets it in, and the old one is good for a week"
    else:
        first = f"made a new {what}; it is used from an hour from now, and the old one is good for a week after that"
    if rotated["running"]:
        return f"{first}\nadmission is being told; everybody else learns of it by the directory"
    return f"{first}\nstart the program: only then is admission told"


def _standing(one: StatedKey, now: int) -> str:
    if one.revoked_at is not None:
        return "revoked"
    if now < one.not_before:
        return "not begun"
    return "in force" if now < one.not_after else "ended"
