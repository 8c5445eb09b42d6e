"""Holds every server of the bus to the claims that admission decided, and tells admission who comes and goes.

Owns what each server has confirmed: claims count as effective where a server has answered for them. A server that
appears, or appears again, may have slept through an expulsion; it is shown everything anew, the hardest first, and is
*stale* until it has answered for all of it. Refuses to know why an account has the claims it has, and keeps nothing:
what is to hold is told to it at each start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from broker.enrolment.servers.asking import Asking, ServerAnswer, ServerName
from broker.enrolment.servers.connection import SystemConnection
from broker.node.bus.claims import decode
from broker.node.bus.port import BusAway

_log: Final = structlog.get_logger(__name__)

LOOK_EVERY: Final = timedelta(seconds=1)
"""How often the servers are counted. A restarted one tells of itself a quarter of a second after its start; this finds
the one that was cut off and comes back as the same."""
MISSED_AT_MOST: Final = 2
"""Looks that a server may miss before it counts as away: then it is shown everything anew when it answers again."""

_LOOK_WITHIN: Final = timedelta(milliseconds=400)
_UPDATE: Final = "$SYS.REQ.CLAIMS.UPDATE"
_DELETE: Final = "$SYS.REQ.CLAIMS.DELETE"
_VARZ: Final = "$SYS.REQ.SERVER.PING.VARZ"
_PING: Final = "$SYS.REQ.SERVER.PING"
_STATISTICS: Final = "$SYS.SERVER.*.STATSZ"
_CONNECTS: Final = "$SYS.ACCOUNT.*.CONNECT"
_DISCONNECTS: Final = "$SYS.ACCOUNT.*.DISCONNECT"
_OK: Final = 200
_AT_A_TIME: Final = 256
"""Claims that are under way to the servers together: under a megabyte."""


class ResolverEvents(Protocol):
    """What admission is told, on the event loop; must not block."""

    def account_connected(self, account: str, server: str) -> None:
        """A user of that account connected to that server."""

    def account_disconnected(self, account: str, server: str) -> None:
        """A user of that account left that server, or was cut off."""

    def stranger_refused(self, server: str) -> None:
        """That server refused a client of no account that is to hold."""

    def server_joined(self, server: str) -> None:
        """A server appeared; it is being shown everything."""

    def server_left(self, server: str) -> None:
        """A server answers no more."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of showing claims to the servers, by their names."""

    confirmed: frozenset[str]
    missing: frozenset[str]
    """Known servers that did not answer; each is shown everything before it counts as there again."""
    refused: frozenset[str]

    @property
    def is_everywhere(self) -> bool:
        """Whether every server known has taken them."""
        return bool(self.confirmed) and not self.missing and not self.refused


class _Verdict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    account: str = ""
    code: int = 0


class _OperatorClaims(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    sub: str
    nats: dict[str, Any]


class _Trusting(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    trusted_operators_claim: list[_OperatorClaims]


class _Client(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    acc: str


class _Presence(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    server: ServerName
    client: _Client


@dataclass(slots=True)
class _Seen:
    name: str
    missed: int = 0
    is_current: bool = False
    """It has answered for everything that is to hold."""
    is_in_doubt: bool = False
    """It did not answer for something that was pushed since it was last shown everything."""


class Resolver:
    """The claims that are to hold, and the servers that hold them."""

    def __init__(
        self,
        connection: SystemConnection,
        events: ResolverEvents,
        *,
        names: Callable[[], Collection[str]] = tuple,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        """`names` gives the servers that there should be now; one of them that was never seen counts as missing."""
        self._connection = connection
        self._asking = Asking(connection)
        self._events = events
        self._expected = names
        self._look_every = look_every
        self._claims: dict[str, str] = {}
        self._system = ""
        self._servers: dict[str, _Seen] = {}
        self._barred: set[str] = set()
        self._counting: asyncio.Task[None] | None = None
        self._bringing: dict[str, asyncio.Task[None]] = {}
        self._connected = asyncio.Event()
        self._look_now = asyncio.Event()
        self._trouble = ""
        self._changed = asyncio.Event()
        connection.listen(_STATISTICS, self._on_statistics)
        connection.listen(_CONNECTS, self._on_connect)
        connection.listen(_DISCONNECTS, self._on_disconnect)

    @property
    def servers(self) -> frozenset[str]:
        """The names of the servers that answer."""
        return frozenset(seen.name for seen in self._servers.values())

    @property
    def stale(self) -> frozenset[str]:
        """Servers that are away, or have not yet confirmed everything."""
        current = {seen.name for seen in self._servers.values() if seen.is_current}
        return self.servers.union(self._expected()) - current

    def start(self, claims: Mapping[str, str]) -> None:
        """Begin to hold the servers to these claims, by account; those of accounts that left among them."""
        for account, text in claims.items():
            self._hold(account, text)
        self._counting = asyncio.get_running_loop().create_task(self._count_servers(), name="bus servers counted")
        self._connection.start(self)

    async def close(self) -> None:
        """Stop watching; the servers go on with what they have."""
        tasks = [task for task in (self._counting, *self._bringing.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connection.close()

    async def until_current(self) -> None:
        """Wait until every server that there should be has confirmed everything."""
        while self.stale or not self._servers:
            self._changed.clear()
            await self._changed.wait()

    async def push(self, account: str, claims: str) -> Pushed:
        """Have these claims hold from now on. They were checked (`claims.check.check_claims`): servers take anything.

        With servers missing they hold all the same: a server is shown them before it counts as current.

        Raises:
            BusAway: not connected; the claims hold from the next connection on.
        """
        self._hold(account, claims)
        return self._pushed(await self._asking.ask(_UPDATE, claims.encode("ascii"), of=self._servers.keys()))

    async def tell(self, claims: str) -> Pushed:
        """Have the system account's claims hold from now on; with servers missing too, as in `push`.

        Raises:
            BusAway: not connected; they hold from the next connection on.
        """
        self._system = claims
        return self._pushed(await self._asking.ask(_UPDATE, claims.encode("ascii"), of=self._servers.keys()))

    async def operators(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        """The operator that each server trusts, and the operator's signing keys, by the server's name.

        Raises:
            BusAway: not connected.
        """
        answers = await self._asking.ask(_VARZ, of=self._servers.keys())
        return {answer.server.name: _operator(answer) for answer in answers}

    async def renew(self) -> None:
        """Connect anew, with the keys of the system account that are in use now."""
        await self._connection.renew()

    async def forget(self, accounts: Collection[str], order: str) -> Pushed:
        """Have accounts deleted whose claims have expired; `order` is `claims.operator.deletion_claims` of them.

        Never of claims that could still hold: a server that was away would bring them back.

        Raises:
            BusAway: not connected.
        """
        for account in accounts:
            self._claims.pop(account, None)
            self._barred.discard(account)
        return self._pushed(await self._asking.ask(_DELETE, order.encode("ascii"), of=self._servers.keys()))

    def connected(self) -> None:
        """The connection stands."""
        _log.info("bus_connected", bus="system")
        self._trouble = ""
        self._connected.set()
        self._look_now.set()

    def disconnected(self) -> None:
        """The connection was lost: nothing will be known of what the servers do meanwhile."""
        self._servers.clear()
        self._connected.clear()

    def failed(self, failure: str) -> None:
        """Said once, not once an attempt."""
        if failure != self._trouble:
            _log.warning("bus_away", bus="system", failure=failure)
        self._trouble = failure

    def _hold(self, account: str, claims: str) -> None:
        self._claims[account] = claims
        limits = decode(claims).body.get("limits", {})
        (self._barred.discard if limits.get("conn") else self._barred.add)(account)

    async def _count_servers(self) -> None:
        while True:
            await self._connected.wait()
            self._look_now.clear()
            with suppress(BusAway):
                # One more than are known: whoever answers counts, whether it was known or not.
                answers = await self._asking.ask(
                    _PING, of=len(self._servers) + 1, within=_LOOK_WITHIN, heard=lambda answer: self._see(answer.server)
                )
                self._miss({answer.server.id for answer in answers})
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every.total_seconds()):
                    await self._look_now.wait()

    def _miss(self, answered: Collection[str]) -> None:
        for identity, seen in list(self._servers.items()):
            seen.missed = 0 if identity in answered else seen.missed + 1
            if seen.missed >= MISSED_AT_MOST:
                del self._servers[identity]
                _log.warning("bus_server_left", bus="system")
                self._events.server_left(seen.name)

    async def _bring_up_to_date(self, identity: str) -> None:
        """Show a server everything until it has answered for all of it; what ends connections comes first."""
        try:
            while (seen := self._servers.get(identity)) is not None and not seen.is_current:
                seen.is_in_doubt = False
                with suppress(BusAway):
                    seen.is_current = await self._takes_everything(identity) and not seen.is_in_doubt
                self._changed.set()
                if not seen.is_current:
                    await asyncio.sleep(self._look_every.total_seconds())
        finally:
            # Not in a callback of the task, which would run a turn later: a push in between would tell nobody.
            del self._bringing[identity]

    async def _takes_everything(self, identity: str) -> bool:
        # Who may command it comes first.
        if self._system and not await self._takes(identity, [self._system.encode("ascii")], 1):
            return False
        accounts = sorted(self._claims, key=lambda account: account not in self._barred)
        for batch in (accounts[start : start + _AT_A_TIME] for start in range(0, len(accounts), _AT_A_TIME)):
            claims = (self._claims[account].encode("ascii") for account in batch if account in self._claims)
            if not await self._takes(identity, claims, len(batch)):
                return False
        return True

    async def _takes(self, identity: str, claims: Iterable[bytes], number: int) -> bool:
        answers = await self._asking.ask_each(_UPDATE, claims, number, of={identity})
        return sum(answer.server.id == identity and _is_taken(answer) for answer in answers) == number

    def _bring(self, identity: str) -> None:
        if identity not in self._bringing:
            telling = self._bring_up_to_date(identity)
            self._bringing[identity] = asyncio.get_running_loop().create_task(telling, name="bus server told")

    def _see(self, server: ServerName) -> None:
        if server.id in self._servers:
            return
        for identity, seen in list(self._servers.items()):
            if seen.name == server.name:  # the same one, started again
                del self._servers[identity]
        self._servers[server.id] = _Seen(server.name)
        self._bring(server.id)
        _log.info("bus_server_joined", bus="system")
        self._events.server_joined(server.name)

    def _pushed(self, answers: list[ServerAnswer]) -> Pushed:
        taken = frozenset(answer.server.name for answer in answers if _is_taken(answer))
        refused = frozenset(answer.server.name for answer in answers) - taken
        missing = self.servers.union(self._expected()) - taken - refused
        for identity, seen in self._servers.items():
            if seen.name not in taken:
                seen.is_current, seen.is_in_doubt = False, True
                self._bring(identity)
        return Pushed(taken, missing, refused)

    async def _on_statistics(self, _subject: str, payload: bytes) -> None:
        with suppress(ValidationError):
            self._see(ServerAnswer.model_validate_json(payload).server)

    async def _on_connect(self, _subject: str, payload: bytes) -> None:
        with suppress(ValidationError):
            told = _Presence.model_validate_json(payload)
            if told.client.acc in self._claims:
                self._events.account_connected(told.client.acc, told.server.name)

    async def _on_disconnect(self, _subject: str, payload: bytes) -> None:
        with suppress(ValidationError):
            told = _Presence.model_validate_json(payload)
            # Of a client that was never let in as well, in an account that the server made up for it.
            if told.client.acc in self._claims:
                self._events.account_disconnected(told.client.acc, told.server.name)
            else:
                self._events.stranger_refused(told.server.name)


def _operator(answer: ServerAnswer) -> tuple[str, frozenset[str]]:
    try:
        (operator,) = _Trusting.model_validate(answer.data).trusted_operators_claim
        return operator.sub, frozenset(map(str, operator.nats.get("signing_keys", ())))
    except (ValidationError, ValueError):
        return "", frozenset()


def _is_taken(answer: ServerAnswer) -> bool:
    try:
        return _Verdict.model_validate(answer.data).code == _OK
    except ValidationError:
        return False
