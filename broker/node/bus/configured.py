"""A program's bus as its home and its configuration say: where the servers are, and what it shows them.

Composition: everything of it is checked elsewhere. There is TLS, always: nothing here or in a configuration reaches
plaintext.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from broker.node.bus.access import home_access, read_addresses
from broker.node.bus.dialling import BusTimings
from broker.node.bus.nats import NatsBus
from broker.node.home import Home
from broker.node.settings import BusSettings
from schemas.messages.party import PartyKind

HUB_TIMINGS: Final = BusTimings(first_wait=timedelta(milliseconds=500))
"""The hub's three programs come back before the agents: they are few, and everybody waits for them."""


def bus_of(home: Home, settings: BusSettings, *, name: str) -> NatsBus:
    """The bus of a home; nothing is dialled yet.

    Args:
        name: the part the program plays, for the server's monitoring.

    Raises:
        AccessIncomplete: no address is configured, and the hub handed none over.
        PlaintextRefused, BadBusUrl, WebSocketMissing: an address cannot be used.
        KeyStoreUnsafe, KeyDamaged: the keys cannot be read.
    """
    urls = settings.urls or read_addresses(home)
    access = home_access(home, home.keys_to_read())
    is_agent = home.own().statement.party_kind is PartyKind.AGENT
    timings = BusTimings() if is_agent else HUB_TIMINGS
    return NatsBus(urls, name=name, access=access, proxy=settings.proxy, setting="bus.urls", timings=timings)
