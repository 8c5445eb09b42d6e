"""An agency's half of being admitted: its request, the hub's reply checked, and what it changes in the home.

Owns the order. Nothing of a reply is believed before a person has compared the words; then one file says that it was
accepted, and everything follows from that, again after a crash: an agent is as it was before, or it is enrolled.

    <home>/enrolment/request      what was asked, until it is answered    .../own.party    with a new root, if it is new
    <home>/enrolment/reply        the hub's reply                         .../accepted_at  when a person said yes

Refuses to know the hub's half, and how a request travels.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.runtime.home.reply_checks import check_welcome
from broker.node.clock import DAY_MS
from broker.node.confirming import NotConfirmed
from broker.node.home import Home, HomeInvalid, write_whole
from broker.node.keystore import KeyReader
from broker.node.tls_key import certificate_request, ensure_tls_key
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.envelope import unpack
from schemas.failures import Failure, Rejected
from schemas.messages.admission import AdmissionReply, open_challenge, read_reply
from schemas.messages.armour import dearmour
from schemas.messages.enrolment import MARK, EnrolmentHeader, EnrolmentRequest, read_enrolment, state_enrolment
from schemas.messages.fields import encode_base64
from schemas.messages.model import read
from schemas.messages.party import Party, PartyKind, read_party, state_party
from schemas.messages.words import ceremony_words

SAME_REQUEST_MS: Final = 14 * DAY_MS
"""For two weeks the same request is given again; the hub takes one that is a month old."""
NEXT_ROOT: Final = "root-next"
"""Where the key store keeps a new root until the hub's reply has been accepted."""
_HUB: Final = (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION)

Compare = Callable[[Sequence[str]], bool]
"""Shows the ten words to a person; whether they are those that the hub reads out."""


class NothingAsked(Failure):
    """There is no request here to which a reply could belong."""

    code = "nothing_asked"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What was accepted."""

    hub: str
    agency: str
    pinned: tuple[str, ...]
    addresses: tuple[str, ...]


def request(home: Home, *, now: int, replaces_root: bool = False) -> bytes:
    """The file in which this agency asks to be admitted; the same one for two weeks, unless its keys changed.

    Args:
        replaces_root: make a new root key, which takes effect once the hub's reply was accepted.

    Raises:
        HomeInvalid: there is no agent here, or a key is missing.
        KeyStoreInUse: the agent runs; for a new root it is stopped first.
    """
    pending = _pending(home, now)
    if pending is not None and (pending.party.root != home.own().root) is replaces_root:
        return pending.file
    folder = _folder(home)
    folder.mkdir(mode=0o700, exist_ok=True)
    party = _with_new_root(home, now) if replaces_root else home.own()
    _ensure_tls_key(home)
    keys = home.keys_to_read()
    root_of = NEXT_ROOT if replaces_root else KeyPurpose.ROOT.value
    root = SigningKey.from_seed(KeyPurpose.ROOT, keys.get(root_of, party.root.id))
    file = state_enrolment(
        party, root, _provable(party, keys, now), certificate_request(_tls_key(keys)), requested_at=now
    )
    read_enrolment(file, hub=party.statement.hub, now=now)  # what the hub would refuse is not handed over
    if replaces_root:
        write_whole(folder / "own.party", party.raw)
    else:
        (folder / "own.party").unlink(missing_ok=True)
    write_whole(folder / "request", file)
    return file


def accept(home: Home, file: bytes, *, now: int, compare: Compare) -> Enrolled:
    """Take the hub's reply: check everything in it, have the words compared, then believe it.

    Raises:
        NothingAsked: no request was made here.
        Rejected: the reply does not hold; the failure names the check. Nothing was written.
        NotConfirmed: the words are others. Nothing was written.
    """
    asked = _asked(home)
    reply = read_reply(file, request=asked, now=now)
    keys = home.keys_to_read()
    check_welcome(reply, asked, _tls_key(keys), now=now)
    _answer(home, keys, asked, reply)
    if not compare(ceremony_words(asked, reply)):
        raise NotConfirmed("the words differ: nothing was changed; ask the hub for its reply again, by another way")
    folder = _folder(home)
    write_whole(folder / "reply", file)
    # A crash before this line: nothing has changed. After it: `finish` goes on from here, at the latest when it runs.
    write_whole(folder / "accepted_at", str(now).encode("ascii"))
    return finish(home) or _enrolled(asked, reply)


def finish(home: Home) -> Enrolled | None:
    """Carry out what a person accepted, if it was interrupted; None if there is nothing to do. Twice is once.

    Raises:
        KeyStoreInUse: the root is being replaced, and the agent runs.
    """
    folder = _folder(home)
    try:
        accepted_at = int((folder / "accepted_at").read_bytes())
    except FileNotFoundError:
        return None
    asked = _asked(home)
    reply = read_reply((folder / "reply").read_bytes(), request=asked, now=accepted_at)
    answer = _answer(home, home.keys_to_read(), asked, reply)
    if (folder / "own.party").exists():
        _change_root(home, asked.party)
    _pin(home, (reply.coordinator, reply.desk, reply.admission, *reply.welcome.officers))
    bus = home.path / "bus"
    bus.mkdir(mode=0o700, exist_ok=True)
    for name, content in (
        ("ca.pem", reply.welcome.authorities),
        ("client.pem", reply.welcome.certificate),
        ("account.jwt", reply.welcome.account),
        ("addresses", "".join(f"{address}\n" for address in reply.header.addresses).encode("ascii")),
        ("challenge", answer.encode("ascii")),
    ):
        write_whole(bus / name, content)
    write_whole(home.path / "trust-policy.txt", reply.welcome.trust)
    # In one step it is done; what is left over is only put away.
    done = folder.with_name("enrolment.done")
    shutil.rmtree(done, ignore_errors=True)
    folder.rename(done)
    shutil.rmtree(done, ignore_errors=True)
    return _enrolled(asked, reply)


def _enrolled(asked: EnrolmentRequest, reply: AdmissionReply) -> Enrolled:
    pinned = (reply.coordinator, reply.desk, reply.admission, *reply.welcome.officers)
    return Enrolled(
        asked.party.statement.hub, asked.party.id, tuple(party.id for party in pinned), tuple(reply.header.addresses)
    )


def _folder(home: Home) -> Path:
    return home.path / "enrolment"


def _asked(home: Home) -> EnrolmentRequest:
    try:
        file = (_folder(home) / "request").read_bytes()
    except FileNotFoundError:
        raise NothingAsked("no request was made here: run agent enrol, and send the hub what it writes") from None
    # It was right when it was made; how long a hub waits is the hub's business.
    made_at = read(EnrolmentHeader, unpack(dearmour(MARK, file)).header).requested_at
    return read_enrolment(file, hub=home.own().statement.hub, now=made_at)


def _pending(home: Home, now: int) -> EnrolmentRequest | None:
    try:
        asked = _asked(home)
    except (NothingAsked, Rejected):
        return None
    is_fresh = now - SAME_REQUEST_MS <= asked.header.requested_at <= now
    has_new_root = (_folder(home) / "own.party").exists()
    return asked if is_fresh and (has_new_root or asked.party.raw == home.own().raw) else None


def _provable(party: Party, keys: KeyReader, now: int) -> list[SigningKey]:
    """The private halves of every signing key that is stated and not over."""
    wanted = [
        one.key for one in party.keys if USES[one.key.purpose].signs and one.revoked_at is None and now < one.not_after
    ]
    missing = sorted({key.purpose.value for key in wanted if key.id not in keys.names(key.purpose)})
    if missing:
        raise HomeInvalid(f"the private {missing[0]} key is not in the key store; restore the key store")
    return [SigningKey.from_seed(key.purpose, keys.get(key.purpose, key.id)) for key in wanted]


def _ensure_tls_key(home: Home) -> None:
    """Make the TLS key if a crash during init left none."""
    if not home.keys_to_read().names(KeyPurpose.TLS):
        keys = home.keystore()
        try:
            ensure_tls_key(keys)
        finally:
            keys.close()


def _tls_key(keys: KeyReader) -> bytes:
    names = keys.names(KeyPurpose.TLS)
    if not names:
        raise HomeInvalid("there is no TLS key in the key store; make the agent again with init")
    return keys.get(KeyPurpose.TLS, names[-1])


def _answer(home: Home, keys: KeyReader, asked: EnrolmentRequest, reply: AdmissionReply) -> str:
    failure: Rejected | None = None
    for identity in home.identities(keys, KeyPurpose.SEAL):
        try:
            return open_challenge(asked, reply.welcome.challenge, identity)
        except Rejected as found:
            failure = found
    raise failure or HomeInvalid("there is no sealing key in the key store")


def _with_new_root(home: Home, now: int) -> Party:
    own, keys = home.own(), home.keystore()
    try:
        for left_over in keys.names(NEXT_ROOT):
            keys.destroy(NEXT_ROOT, left_over)
        root = SigningKey.generate(KeyPurpose.ROOT)
        keys.add(NEXT_ROOT, root.id, root.seed())
    finally:
        keys.close()
    changed = {"root": encode_base64(root.public.raw), "serial": own.statement.serial + 1, "issued_at": now}
    return read_party(state_party(own.statement.model_copy(update=changed), root))


def _change_root(home: Home, party: Party) -> None:
    """Put the new root in the place of the old one; begun again after a crash, it ends the same."""
    keys = home.keystore()
    try:
        if party.root.id in keys.names(NEXT_ROOT):
            keys.add(KeyPurpose.ROOT, party.root.id, keys.get(NEXT_ROOT, party.root.id))
        home.restate(party.raw)
        # A crash before this line leaves two roots, of which one is in use; `finish` comes back here.
        for name in keys.names(KeyPurpose.ROOT):
            if name != party.root.id:
                keys.destroy(KeyPurpose.ROOT, name)
        for name in keys.names(NEXT_ROOT):
            keys.destroy(NEXT_ROOT, name)
    finally:
        keys.close()


def _pin(home: Home, parties: Sequence[Party]) -> None:
    """Put these in the place of whoever was pinned as one of them before."""
    names = {party.id for party in parties}
    for party in home.directory().parties.values():
        if party.statement.party_kind in _HUB and party.id not in names:
            home.unpin(party.id)
    held = home.directory().parties
    for party in parties:
        before = held.get(party.id)
        is_newer_here = before is not None and before.root == party.root
        if is_newer_here and before is not None and before.statement.serial >= party.statement.serial:
            continue
        home.renew(party)
