"""What the coordinator's command socket takes about the hub's policy: a version, the versions there are, their files.

Whoever may use the socket hands a version in; what makes it one is the signature of the hub's IG lead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from broker.coordinator import policy_records as records
from broker.coordinator.policy_taking import take_policy
from broker.coordinator.room import Room
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.store.port import Transaction
from schemas.failures import Rejected
from schemas.messages.fields import Count, Hex32, decode_base64, encode_base64
from schemas.messages.party import PartyKind
from schemas.messages.policy import MAX_POLICY_BYTES, PolicyStatement, PolicyVersion, read_policy, read_policy_files
from schemas.vocabulary import OfficerRole

MAX_STATEMENT_CHARACTERS: Final = 65_536


class PolicyUnknown(Rejected):
    """The coordinator keeps no policy version of that digest or number."""

    code = "policy_files_unknown"


class _Version(Arguments):
    statement: Annotated[str, Field(max_length=MAX_STATEMENT_CHARACTERS)]
    """The signed frame, in base64."""
    files: Annotated[str, Field(max_length=MAX_POLICY_BYTES)]


class _Digest(Arguments):
    policy_digest: Hex32


class _Number(Arguments):
    number: Count


class PolicyCommands:
    """The commands, each a method."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def table(self) -> Mapping[str, Command]:
        """The commands by name."""
        return {
            "publish-policy": self.publish,
            "policy-versions": self.versions,
            "policy-files": self.files,
            "policy-as-signed": self.as_signed,
        }

    async def publish(self, arguments: dict[str, Any]) -> Any:
        """Take a version that the hub's IG lead has signed."""
        given = read_arguments(_Version, arguments)
        try:
            frame = decode_base64(given.statement)
        except ValueError:
            raise PolicyUnknown("the statement is not base64") from None
        version = await take_policy(self._room, frame, given.files.encode())
        return _shown(version)

    async def versions(self, arguments: dict[str, Any]) -> Any:
        """Every version, which is in force, and which agencies have it."""
        read_arguments(NoArguments, arguments)
        room, now = self._room, self._room.post.clock.now()

        def read(tx: Transaction) -> tuple[list[records.Kept], list[records.Answered]]:
            return records.versions(tx), records.answers(tx)

        kept, answers = await room.post.store.read(read)
        agencies = [party.id for party in room.directory.of_kind(PartyKind.AGENT) if room.is_admitted(party)]
        said = {(one.number, one.agency): one for one in answers}
        return {
            "now": now,
            "hub": room.hub,
            "in_force": room.policies.number_at(now),
            "whole": room.policies.is_whole(now),
            "versions": [
                {
                    **_shown(read_policy(one.frame)),
                    "taken_at": one.taken_at,
                    "index": one.index,
                    "signer_admitted": self._is_admitted(read_policy(one.frame).statement),
                    "agencies": [_answer(agency, said.get((one.number, agency))) for agency in agencies],
                }
                for one in kept
            ],
        }

    async def files(self, arguments: dict[str, Any]) -> Any:
        """The files of a version, by their digest."""
        policy_digest = read_arguments(_Digest, arguments).policy_digest
        raw = await self._room.post.store.read(lambda tx: records.files_of(tx, policy_digest))
        if raw is None:
            raise PolicyUnknown("no version of that digest is kept here")
        return {"policy_digest": policy_digest, "files": {one.name: one.text for one in read_policy_files(raw).files}}

    async def as_signed(self, arguments: dict[str, Any]) -> Any:
        """A version as it was handed in: what the hub's desk is given."""
        number = read_arguments(_Number, arguments).number

        def read(tx: Transaction) -> tuple[bytes, bytes] | None:
            kept = next((one for one in records.versions(tx) if one.number == number), None)
            files = None if kept is None else records.files_of(tx, kept.policy_digest)
            return None if kept is None or files is None else (kept.frame, files)

        found = await self._room.post.store.read(read)
        if found is None:
            raise PolicyUnknown("no version of that number is kept here; see: broker policy versions")
        return {"statement": encode_base64(found[0]), "files": found[1].decode()}

    def _is_admitted(self, statement: PolicyStatement) -> bool:
        officer = self._room.directory.parties.get(statement.officer)
        return officer is not None and self._room.is_admitted(officer)


def _shown(version: PolicyVersion) -> dict[str, Any]:
    statement = version.statement
    return {
        "number": statement.number,
        "nation": statement.nation.value,
        "pack": statement.pack,
        "pack_version": statement.pack_version,
        "policy_digest": statement.policy_digest,
        "statement_digest": version.digest,
        "valid_from": statement.valid_from,
        "made_at": statement.made_at,
        "signed_by": OfficerRole.IG_LEAD.value,
    }


def _answer(agency: str, answer: records.Answered | None) -> dict[str, Any]:
    return {
        "agency": agency,
        "answered_at": None if answer is None else answer.answered_at,
        "code": None if answer is None else answer.code,
    }
