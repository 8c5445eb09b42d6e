"""What the agent's local command socket takes about alerts: which there are, one of them, that the lead has seen it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from agents.runtime.alerts import records
from agents.runtime.alerts.alarm import Alarm
from agents.runtime.alerts.records import Alert
from broker.node.command_arguments import Arguments, read_arguments
from broker.node.commands import Command
from broker.node.post.office import Post
from broker.node.store import Transaction
from schemas import canonical
from schemas.messages.entry import MAX_LEAF_BYTES


class _Which(Arguments):
    all: bool = False


class _One(Arguments):
    number: Annotated[int, Field(ge=0)]


def alert_commands(post: Post, alarm: Alarm) -> Mapping[str, Command]:
    """The commands about alerts, by name."""

    async def listed(arguments: dict[str, Any]) -> Any:
        seen_too = read_arguments(_Which, arguments).all
        found = await post.store.read(lambda tx: records.listed(tx, seen_too=seen_too))
        return {"alerts": [_shown(one) for one in found]}

    async def show(arguments: dict[str, Any]) -> Any:
        number = read_arguments(_One, arguments).number
        alert = await post.store.read(lambda tx: records.get(tx, number))
        entry = canonical.parse(alert.leaf, limit_bytes=MAX_LEAF_BYTES)
        return {**_shown(alert), "entry": entry, "addendum": b64encode(alert.addendum).decode("ascii")}

    async def acknowledge(arguments: dict[str, Any]) -> Any:
        number, now = read_arguments(_One, arguments).number, post.clock.now()

        def work(tx: Transaction) -> Alert:
            alarm.seen(tx, number, now)
            return records.get(tx, number)

        seen = await post.commit(work)
        alarm.raised()
        return _shown(seen)

    return {"alerts": listed, "alert": show, "alert-acknowledge": acknowledge}


def _shown(alert: Alert) -> dict[str, Any]:
    times = {"told_at": alert.told_at, "seen_at": alert.seen_at}
    return {
        "number": alert.index,
        "kind": alert.kind,
        "exchange": alert.exchange,
        "at": alert.entry_at,
        "came_at": alert.came_at,
        **{name: at for name, at in times.items() if at is not None},
    }
