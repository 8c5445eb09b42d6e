"""The doctor on what runs: the policy it decides by, the programs, the log and its lock copy."""

from __future__ import annotations

import http.client
import json
from typing import Any, Final

from broker.client.hub import LOOPBACK, Hub
from broker.node.backup_catchup import still_waits_for
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient, NotRunning
from broker.node.doctor.checked import NotWell, Warned
from broker.node.ground import lock_path
from broker.node.home import Home
from broker.node.log import LockCopy
from schemas.crypto.purposes import KeyPurpose
from schemas.failure_codes import COMMITTED
from schemas.ledger.checkpoint import TreeHead, open_checkpoint
from schemas.ledger.verifier_key import ED25519, VerifierKey

ANSWERS_WITHIN_S: Final = 2.0
"""Everything asked here is on this machine."""


def check_policy(hub: Hub) -> str | Warned:
    """A version of the policy is in force, its kept copy is whole, and no agency refused it or what is to come."""
    try:
        found = CommandClient(hub.coordinator.socket_path).ask("policy-versions")
    except NotRunning:
        return "which version is in force is the running coordinator's to say: broker policy versions"
    if not found["whole"]:
        raise NotWell("the kept copy of the policy is damaged: everything is refused (RUNBOOK, The hub's policy)")
    current = [one for one in found["versions"] if one["number"] >= max(found["in_force"], 1)]
    if not found["in_force"]:
        coming = f"; version {current[0]['number']} is to come" if current else ""
        said = "no version is in force, so every request is refused"
        return Warned(f"{said}{coming}; the hub's IG lead runs: broker policy publish PACK --from now")
    signed = current[0]
    if not signed["signer_admitted"]:
        return Warned(
            f"whoever signed version {signed['number']} is no officer any more, so agencies that join cannot check it:"
            " have the IG lead of today publish it again"
        )
    answers = [one for version in current for one in version["agencies"]]
    if refused := sorted({one["agency"] for one in answers if one["code"] not in (None, COMMITTED)}):
        return Warned(f"refused by {', '.join(refused)}: broker policy versions says why; ring that agency")
    waits = ", ".join(sorted({one["agency"] for one in answers if one["code"] is None}))
    said = f"version {signed['number']} ({signed['pack']} {signed['pack_version']}), digest {signed['policy_digest']}"
    return f"{said}; not yet at {waits}" if waits else said


def is_running(home: Home) -> bool:
    """Whether the home's program takes commands."""
    return _status(home) is not None


def _status(home: Home) -> dict[str, Any] | None:
    try:
        status: dict[str, Any] = CommandClient(home.socket_path).ask("status")
    except NotRunning:
        return None
    return status


def check_program(home: Home) -> str | Warned:
    """The program takes commands and is ready."""
    status = _status(home)
    if status is None:
        return Warned("not running; start it with: broker run")
    if (waits_for := still_waits_for(status)) is not None:
        raise NotWell(f"restored, and acts on nothing before it has caught up: {waits_for}")
    found = _readiness(home)
    missing = sorted(name for name, holds in found.get("checks", {}).items() if not holds)
    if missing:
        raise NotWell(f"running, not ready: {', '.join(missing)}; its log lines say why")
    return "running and ready"


def _readiness(home: Home) -> dict[str, Any]:
    try:
        port = int((home.socket_path.parent / "observe.port").read_text("ascii"))
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWERS_WITHIN_S)
        try:
            connection.request("GET", "/readyz")
            found = json.loads(connection.getresponse().read())
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException):
        raise NotWell("it takes commands, but /readyz does not answer; its log lines say why") from None
    if not isinstance(found, dict):
        raise NotWell("another program answers at its port for health; restart it")
    return found


def check_log(hub: Hub) -> str | Warned:
    """The lock copy and, from the running coordinator, the signed checkpoint: neither behind nor beside the other."""
    home = hub.coordinator
    locked = LockCopy(lock_path(home)).read()
    if locked is None:
        if home.store_path.exists():
            raise NotWell(f"{lock_path(home)} is missing or damaged: compare with an agency's checkpoint first")
        return "not begun; the first start begins it"
    try:
        head = _checkpoint(home)
    except NotRunning:
        return Warned(f"lock copy of {locked.size} entries; the coordinator compares it with its store when it starts")
    if locked.size == head.size and locked.root != head.root:
        raise NotWell("lock copy and log differ at the same size: stop the hub, keep both, call a person")
    return f"{head.size} entries, lock copy of {locked.size}"


def _checkpoint(home: Home) -> TreeHead:
    raw = CommandClient(home.socket_path).ask("checkpoint")["checkpoint"].encode()
    statement = home.own().statement
    assert statement.log is not None
    now = SystemClock().now()
    # Every key in force signs; one that was revoked or is over stays stated for good.
    key = next(one.key for one in home.own().keys if one.key.purpose is KeyPurpose.LOG and one.in_force(now))
    return open_checkpoint(raw, log=VerifierKey.of(statement.log, ED25519, key.raw), origin=statement.log).head
