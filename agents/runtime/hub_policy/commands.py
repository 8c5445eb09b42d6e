"""Reading the hub's policy at an agency: which versions are held, and what the rules of one say. Changes nothing.

The socket's commands; `agent policy ...`, which asks them, is `group`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.runtime.hub_policy import records
from agents.runtime.hub_policy.versions import HubPolicies
from broker.node.clock import Clock
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.store import Transaction
from schemas.failures import Rejected
from schemas.messages.fields import Count
from schemas.messages.policy import in_force, read_policy_files


class PolicyNotHeld(Rejected):
    """This agency holds no version of the hub's policy of that number."""

    code = "policy_not_held"


class _Number(Arguments):
    number: Count


def hub_policy_commands(policies: HubPolicies, clock: Clock) -> Mapping[str, Command]:
    """The commands of the socket, by name."""

    async def versions(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        now = clock.now()
        held = await policies.post.store.read(records.held)
        newest = in_force((one.version for one in held.values()), now)
        return {
            "in_force": 0 if newest is None else newest.statement.number,
            "versions": [_shown(one) for one in held.values()],
            "awaited_signers": sorted(policies.awaited_signers),
            "awaited": policies.awaited(held),
            "stated_awaited": policies.stated_awaited(held),
        }

    async def version(arguments: dict[str, Any]) -> Any:
        number = read_arguments(_Number, arguments).number

        def read(tx: Transaction) -> tuple[records.Held, bytes]:
            one = records.held(tx).get(number)
            files = None if one is None else records.files_of(tx, one.version.statement.policy_digest)
            if one is None or files is None:
                raise PolicyNotHeld(f"no version {number} of the hub's policy is held; see: agent policy list")
            return one, files

        one, files = await policies.post.store.read(read)
        return {**_shown(one), "files": {file.name: file.text for file in read_policy_files(files).files}}

    return {"policy-versions": versions, "policy-version": version}


def _shown(one: records.Held) -> dict[str, Any]:
    statement = one.version.statement
    return {
        "number": statement.number,
        "nation": statement.nation.value,
        "pack": statement.pack,
        "pack_version": statement.pack_version,
        "policy_digest": statement.policy_digest,
        "statement_digest": one.version.digest,
        "valid_from": statement.valid_from,
        "officer": statement.officer,
        "taken_at": one.taken_at,
    }
