"""How the hub's IG lead publishes a version of its policy: the pack is checked, stated, signed, handed in.

The check comes first and is the one the coordinator makes again: what does not hold is refused here, with file, line
and reason, before anything is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from broker.node.keyfile import KeyFile, KeyFileInvalid
from broker.policy.pack import Pack, PackFiles
from broker.policy.packs import load
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.fields import encode_base64
from schemas.messages.party import PartyKind
from schemas.messages.policy import PolicyStatement, pack_policy_files, sign_policy
from schemas.vocabulary import OfficerRole

Ask: TypeAlias = Callable[[str, Mapping[str, Any]], Any]
"""Has a running program of the hub's carry out a command."""


class NotTheLead(Failure):
    """A key file that is not the hub's IG lead's."""

    code = "not_the_ig_lead"


class DeskNotTold(Failure):
    """A version is published, and the hub's desk, which is to state it in every request, does not hold it."""

    code = "desk_not_told"


def publish(ask: Ask, ask_desk: Ask, keys: KeyFile, files: PackFiles, *, valid_from: int | None) -> dict[str, Any]:
    """Publish a version, first at the coordinator, then at the desk; gives back what the coordinator says of it.

    Args:
        ask, ask_desk: have the running coordinator, and the running desk, carry out a command.
        keys: the key file of an officer who is the hub's IG lead.
        valid_from: from when (milliseconds UTC); None for at once.

    Raises:
        PolicyInvalid: the pack does not hold; nothing was signed.
        NotTheLead: that file signs no version.
        CommandFailed, NotRunning: the coordinator refused, or does not run.
        DeskNotTold: it is published, and the desk has yet to be told of it.
    """
    pack = load(files)
    known = ask("policy-versions", {})
    statement = following(known, keys, pack, valid_from=known["now"] if valid_from is None else valid_from)
    frame = sign_policy(statement, keys.signing_key(KeyPurpose.POLICY))
    raw = pack_policy_files(files.whole)
    signed = {"statement": encode_base64(frame), "files": raw.decode()}
    taken: dict[str, Any] = ask("publish-policy", signed)
    try:
        ask_desk("take-policy", signed)  # what was signed here, whatever the coordinator makes of it
        tell_desk(ask, ask_desk)
    except Failure as failure:
        raise DeskNotTold(
            f"version {taken['number']} is published and the desk has not taken it ({failure.code}: {failure.detail});"
            " see to that, then: broker policy tell-desk"
        ) from None
    return taken


def tell_desk(ask: Ask, ask_desk: Ask) -> list[int]:
    """Hand the desk the versions that it lacks of the one in force and those to come; gives back their numbers.

    Raises:
        CommandFailed, NotRunning: the desk refused one, or one of the two does not run.
    """
    known, held = ask("policy-versions", {}), ask_desk("policy-versions", {})
    there = {one["number"]: one["statement_digest"] for one in held["versions"]}
    lacking = [
        one["number"]
        for one in known["versions"]
        if one["number"] >= known["in_force"] and there.get(one["number"]) != one["statement_digest"]
    ]
    for number in lacking:
        ask_desk("take-policy", ask("policy-as-signed", {"number": number}))
    return lacking


def following(known: Mapping[str, Any], keys: KeyFile, pack: Pack, *, valid_from: int) -> PolicyStatement:
    """The statement of the version that follows on those that are known (the answer to `policy-versions`).

    Raises:
        NotTheLead: that file signs no version.
    """
    party = keys.party
    if party is None or party.statement.party_kind is not PartyKind.OFFICER:
        raise NotTheLead("that is no officer's key file; the hub's IG lead has one: broker officer new --role ig_lead")
    if party.statement.officer_role is not OfficerRole.IG_LEAD:
        raise NotTheLead(f"{party.id} is a {party.statement.officer_role}: only the hub's IG lead publishes its policy")
    try:
        key = keys.signing_key(KeyPurpose.POLICY)
    except KeyFileInvalid:
        said = "the key file is older than keys for policy versions: broker officer renew, then broker officer take"
        raise NotTheLead(said) from None
    newest = known["versions"][-1] if known["versions"] else None
    return PolicyStatement(
        hub=known["hub"],
        number=1 if newest is None else newest["number"] + 1,
        policy_digest=pack.digest,
        nation=pack.nation,
        pack=pack.name,
        pack_version=pack.version,
        valid_from=valid_from,
        previous=None if newest is None else newest["statement_digest"],
        made_at=known["now"],
        officer=party.id,
        officer_key=key.id,
    )
