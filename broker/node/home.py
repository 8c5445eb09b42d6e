"""A party's own directory: its keys, its public file, the files of the parties it pinned, its store.

config.toml     what a person set; read once
own.party       the party's public file, to be handed to the others
parties/        the files of the others, pinned: nobody's key is taken from anywhere else
keys/           private keys (broker.node.keystore); outside ordinary backups
store.sqlite    everything durable
run/            the command socket
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from broker.node.clock import DAY_MS, PERMITTED_SKEW_MS
from broker.node.keyfile import write_key_file
from broker.node.keystore import KeyReader, KeyStore
from broker.node.wrapping_choice import configured_wrapping
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose
from schemas.failures import Failure, Rejected
from schemas.messages.fields import encode_base64
from schemas.messages.model import failure_of
from schemas.messages.party import (
    STATED,
    Directory,
    KeyStatement,
    Party,
    PartyKind,
    PartyStatement,
    read_party,
    state_party,
)
from schemas.vocabulary import AgencyKind

KEY_LIFE_MS: Final = 400 * DAY_MS
"""A year and a month: signing keys are replaced once a year, with an overlap."""
SEALING_EPOCH_MS: Final = 7 * DAY_MS
"""The longest a sealing key may live (DESIGN section 2, promise 8)."""

_ON_THE_BUS: Final = (KeyPurpose.MESSAGE, KeyPurpose.DEED, KeyPurpose.BUS_SIGNER, KeyPurpose.BUS_USER)
KEPT: Final = {
    PartyKind.DESK: (*_ON_THE_BUS, KeyPurpose.REQUEST),
    PartyKind.COORDINATOR: (*_ON_THE_BUS, KeyPurpose.GRANT, KeyPurpose.LOG),
    PartyKind.AGENT: (
        *_ON_THE_BUS,
        KeyPurpose.ANSWER,
        KeyPurpose.SEAL,
        KeyPurpose.LOG,
        KeyPurpose.WITNESS,
        KeyPurpose.BUS_ACCOUNT,
    ),
    PartyKind.ADMISSION: (*_ON_THE_BUS, KeyPurpose.DIRECTORY, KeyPurpose.ADMISSION, KeyPurpose.BUS_ACCOUNT),
}
"""The keys each kind of party keeps itself. Desk and agent also state the addendum key that their IG lead keeps."""


class HomeInvalid(Failure):
    """A party's directory is missing something, or holds what it should not."""

    code = "home_invalid"


@dataclass(frozen=True, slots=True)
class PartyPlan:
    """Who is to be made."""

    hub: str
    party: str
    kind: PartyKind
    name: str
    agency_kind: AgencyKind | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """A party's directory. Nothing of it is held open."""

    path: Path

    @property
    def config_path(self) -> Path:
        """The one file a person writes."""
        return self.path / "config.toml"

    @property
    def store_path(self) -> Path:
        """The party's durable truth."""
        return self.path / "store.sqlite"

    @property
    def socket_path(self) -> Path:
        """Where the running program takes commands."""
        return self.path / "run" / "command.sock"

    def create(self, plan: PartyPlan, *, now: int, ig_lead_key: Path | None, wrapping: str | None = None) -> Party:
        """Make the directory, the keys and the public file.

        Args:
            ig_lead_key: where the IG lead's private key goes, who then takes it away; desk and agent need one.
            wrapping: what the keys are sealed under from their first write on, in words of `keys.wrapping`; None takes
                what a configuration that is there already says. The caller says it in the one that it writes.

        Raises:
            HomeInvalid: there is a party here already, or what was planned does not hold; nothing was written.
            KeyFileInvalid: the IG lead's key file exists, or cannot be written.
            SettingsInvalid, KeyStoreUnsafe, OsKeyStoreAway: the wrapping is none or cannot be used; no key was written.
        """
        if (self.path / "own.party").exists():
            raise HomeInvalid(f"{self.path} holds a party already; choose another directory")
        if plan.kind in (PartyKind.DESK, PartyKind.AGENT) and ig_lead_key is None:
            raise HomeInvalid("say where the IG lead's private key is to be written")
        root = SigningKey.generate(KeyPurpose.ROOT)
        made = [_generate(purpose) for purpose in KEPT[plan.kind]]
        stated = [_statement(key, now) for key in made]
        lead = Identity.generate(KeyPurpose.ADDENDUM)
        if ig_lead_key is not None:
            stated.append(_statement(lead, now))
        # Everything that can be refused is refused here, before anything is on disk.
        file = _stated(plan, root, stated, now)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.path / "parties").mkdir(mode=0o700, exist_ok=True)
        (self.path / "run").mkdir(mode=0o700, exist_ok=True)
        if ig_lead_key is not None:
            write_key_file(ig_lead_key, f"ig-lead of {plan.party}", {KeyPurpose.ADDENDUM: lead.seed()})
        try:
            chosen = wrapping or configured_wrapping(self.config_path)
            keys = KeyStore.create(self.path / "keys", configured=chosen)
        except BaseException:
            if ig_lead_key is not None:
                ig_lead_key.unlink()  # of a key that nobody stated: the next attempt makes another
            raise
        for key in (root, *made):
            keys.add(key.purpose, key.id, key.seed())
        keys.close()
        write_whole(self.path / "own.party", file)
        return read_party(file)

    def own(self) -> Party:
        """The party this directory is of.

        Raises:
            HomeInvalid: there is none, or its file does not hold.
        """
        return _read(self.path / "own.party", "make one with init")

    def directory(self) -> Directory:
        """This party and those it pinned.

        Raises:
            HomeInvalid: a pinned file does not hold; the text names the file.
        """
        own = self.own()
        directory = Directory.of(own.statement.hub, [own])
        for path in sorted((self.path / "parties").glob("*.party")):
            try:
                directory = directory.with_party(_read(path, "ask that party for its file again"))
            except Rejected as failure:
                raise HomeInvalid(f"{path.name}: {failure.detail}") from None
        return directory

    def pin(self, file: bytes) -> Party:
        """Take a party's file into `parties/`. A person has compared its fingerprint before.

        Raises:
            PartyFileInvalid: it does not hold, or clashes with a party pinned before.
        """
        party = read_party(file)
        directory = self.directory()
        if party.id in directory.parties and directory.parties[party.id].root == party.root:
            directory.with_renewed(party)  # the root was pinned before: its newer statement needs no comparing
        else:
            directory.with_party(party)
        write_whole(self.path / "parties" / f"{party.id}.party", party.raw)
        return party

    def renew(self, party: Party) -> None:
        """Take a newer statement of a party that is pinned, in place of the one held; whole or not at all."""
        write_whole(self.path / "parties" / f"{party.id}.party", party.raw)

    def restate(self, file: bytes) -> Party:
        """Put a newer statement of the party itself in place of the one before; durable before this returns.

        Raises:
            PartyFileInvalid: it does not hold.
        """
        party = read_party(file)
        write_whole(self.path / "own.party", party.raw)
        return party

    def unpin(self, party: str) -> None:
        """Take a party out of `parties/`."""
        (self.path / "parties" / f"{party}.party").unlink(missing_ok=True)

    def keystore(self) -> KeyStore:
        """The private keys, for the one program that runs from here.

        Raises:
            KeyStoreInUse: it runs already.
            KeyStoreUnsafe, KeyDamaged: see there.
        """
        return KeyStore.open(self.path / "keys", configured=configured_wrapping(self.config_path))

    def keys_to_read(self) -> KeyReader:
        """The private keys, beside the program that runs; nothing is changed."""
        return KeyStore.inspect(self.path / "keys", configured=configured_wrapping(self.config_path))

    def signing_key(self, keys: KeyReader, purpose: KeyPurpose) -> SigningKey:
        """The newest of the party's signing keys of that purpose that is held here and was not revoked.

        Raises:
            HomeInvalid: there is none.
        """
        names = keys.names(purpose)
        stated = {one.key.id: one.not_before for one in self.own().keys if one.revoked_at is None}
        held = sorted((stated[name], name) for name in names if name in stated)
        if held:
            return SigningKey.from_seed(purpose, keys.get(purpose, held[-1][1]))
        if len(names) == 1 and purpose not in STATED[self.own().statement.party_kind]:
            return SigningKey.from_seed(purpose, keys.get(purpose, names[0]))
        raise HomeInvalid(f"no {purpose} key that the party's own file states is held here")

    def identities(self, keys: KeyReader, purpose: KeyPurpose) -> Sequence[Identity]:
        """Every private sealing key of that purpose."""
        return [Identity.from_seed(purpose, keys.get(purpose, name)) for name in keys.names(purpose)]


def _generate(purpose: KeyPurpose) -> SigningKey | Identity:
    if USES[purpose].algorithm is Algorithm.HPKE_HYBRID:
        return Identity.generate(purpose)
    return SigningKey.generate(purpose)


def _statement(key: SigningKey | Identity, now: int) -> KeyStatement:
    is_seal = key.purpose is KeyPurpose.SEAL
    return KeyStatement(
        purpose=key.purpose,
        public=encode_base64(key.public.raw),
        # In force at once for peers whose clocks are behind, or when ours is set back after the keys were made.
        not_before=now - 2 * PERMITTED_SKEW_MS,
        not_after=now + (SEALING_EPOCH_MS if is_seal else KEY_LIFE_MS),
        epoch=1 if is_seal else 0,
    )


def _stated(plan: PartyPlan, root: SigningKey, keys: list[KeyStatement], now: int) -> bytes:
    try:
        statement = PartyStatement(
            hub=plan.hub,
            party=plan.party,
            party_kind=plan.kind,
            agency_kind=plan.agency_kind,
            name=plan.name,
            log=plan.log,
            root=encode_base64(root.public.raw),
            keys=keys,
            issued_at=now,
            serial=1,
        )
    except ValidationError as error:
        found = failure_of(PartyStatement, error).detail
        raise HomeInvalid(f"{found}: names are of a-z, 0-9 and -, starting with a letter") from None
    return state_party(statement, root)


def _read(path: Path, advice: str) -> Party:
    try:
        return read_party(path.read_bytes())
    except OSError:
        raise HomeInvalid(f"{path} cannot be read; {advice}") from None
    except Rejected as failure:
        raise HomeInvalid(f"{path}: {failure.detail}; {advice}") from None


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file whole or not at all, and make it last."""
    temporary = path.with_name(path.name + ".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
