"""The doctor on the bus: every server that is configured is dialled as the program would, TLS, host name and admission.

Beside the running program this is one connection more, for less than a second. What a server or a proxy says is never
repeated: `broker.node.bus.reasons` has words of our own.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cryptography import x509

from broker.node.bus.access import Access, HomeAccess, read_addresses
from broker.node.bus.address import ServerAddress, read_address, read_proxy
from broker.node.bus.dialling import BusTimings
from broker.node.bus.link import Link, LinkFailed
from broker.node.bus.reasons import reason_for
from broker.node.bus.wire import lay
from broker.node.certificates import ends_at
from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.endings import NOTICES
from broker.node.doctor.words import day, minute
from broker.node.home import Home
from broker.node.toml_table import read_table

_TIMINGS = BusTimings()


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of dialling one server. `problem` is None if it admitted us."""

    address: ServerAddress
    problem: str | None
    certificate_ends_at: int | None = None


class _Deaf:
    """Nobody listens to what a link of the doctor hears, and it subscribes to nothing."""

    def message_unheard(self, subject: str) -> None:
        """Nothing was sent."""

    def shut(self) -> Collection[bytes]:
        """No token."""
        return ()

    def passed_over(self, token: bytes, messages: int, size: int) -> None:
        """Nothing was dropped."""


def check_access(home: Home, now: int) -> str:
    """The files and keys that a connection needs are there, fit each other, and have not ended.

    Raises: NotWell, AccessIncomplete; each text says what to do.
    """
    access = HomeAccess.load(home, home.keys_to_read())
    for lapse in access.lapses:
        if lapse.at <= now:
            raise NotWell(f"{lapse.what} ended {minute(lapse.at)}, and every server refuses it since; {lapse.remedy}")
    first = access.lapses[0]
    return f"certificate, authority and account JWT fit; {first.what} is the first to end, {day(first.at)}"


def check_bus(home: Home, addresses: Sequence[ServerAddress], proxy: ServerAddress | None, now: int) -> str | Warned:
    """Dial every server for real.

    Raises: NotWell, if none admits us, with the reason of each.
    """
    access = HomeAccess.load(home, home.keys_to_read())
    found = asyncio.run(_dial_all(addresses, access, proxy, now))
    said = "; ".join(f"{one.address.url}: {one.problem or _well(one)}" for one in found)
    if all(one.problem for one in found):
        raise NotWell(f"{said}")
    ends = [one.certificate_ends_at for one in found if one.certificate_ends_at is not None]
    is_near = any(at - now <= NOTICES[0] * DAY_MS for at in ends)
    return Warned(said) if is_near or any(one.problem for one in found) else said


async def _dial_all(
    addresses: Sequence[ServerAddress], access: Access, proxy: ServerAddress | None, now: int
) -> list[Reached]:
    return list(await asyncio.gather(*(_dial(address, access, proxy, now) for address in addresses)))


async def _dial(address: ServerAddress, access: Access, proxy: ServerAddress | None, now: int) -> Reached:
    within_s = _TIMINGS.connect_within.total_seconds()
    try:
        async with asyncio.timeout(within_s):
            at = await _certificate_end(address, access, proxy)
    except (OSError, TimeoutError) as problem:
        return Reached(address, reason_for(problem).words)
    deaf = _Deaf()
    link = Link(
        address, name="doctor", timings=_TIMINGS, events=deaf, sieve=deaf, take=lambda *_: None, wake=lambda: None
    )
    try:
        async with asyncio.timeout(within_s):
            await link.open(access, proxy=proxy, now=now)
    except LinkFailed as failure:
        return Reached(address, failure.reason.words, at)
    except TimeoutError as problem:
        return Reached(address, reason_for(problem).words, at)
    finally:
        await link.dismantle()
    return Reached(address, None, at)


async def _certificate_end(address: ServerAddress, access: Access, proxy: ServerAddress | None) -> int | None:
    wire = await lay(address, tls=await asyncio.to_thread(access.tls), proxy=proxy)
    try:
        tls: ssl.SSLObject = wire.writer.get_extra_info("ssl_object")
        shown = _shown(tls)
    finally:
        wire.cut()
        await wire.until_closed()
    return None if shown is None else ends_at(x509.load_der_x509_certificate(shown))


def _shown(tls: ssl.SSLObject) -> bytes | None:
    """The server's certificate; None from one that has refused ours meanwhile: in TLS 1.3 it says so after the end."""
    try:
        return tls.getpeercert(binary_form=True)
    except ValueError:
        return None


def _well(one: Reached) -> str:
    return f"admitted, its certificate holds until {day(one.certificate_ends_at or 0)}"


def configured_servers(home: Home) -> tuple[list[ServerAddress], ServerAddress | None]:
    """Where a home's program dials, and through which proxy.

    Raises: SettingsInvalid, BadBusUrl, PlaintextRefused, AccessIncomplete.
    """
    section = read_table(home.config_path).get("bus", {})
    urls = section.get("urls") or read_addresses(home)
    proxy = section.get("proxy")
    return (
        [read_address(str(url), setting="bus.urls") for url in urls],
        None if proxy is None else read_proxy(str(proxy), setting="bus.proxy"),
    )
