"""Three hosts and the network between them, in namespaces of this process: what happens in here touches no other.

Run by `test_cut_off` as `unshare --net --mount python -m tests.fault.cluster.hosts FOLDER STORY ...`, as root or as one
in a namespace of users; the stories are played one after the other, in one cluster. Each host has a network namespace
of its own and is plugged into a bridge; the programs speak from the bridge's own address. To be unplugged is to be cut
off without a word: no packet, and no error, gets through.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from broker.enrolment.configuration.files import Node
from tests.support.clustered import ClusteredWorld, Stream

AGENCY = "northshire"
BRIDGE = "hub"
NETWORK = "10.77.0"
SPLIT_S = 4.0
"""Longer than a client needs to find that its own link is dead (`clustered.QUICK`), and to leave the server."""


def ip(*arguments: str) -> None:
    """Change the network."""
    subprocess.run(["ip", *arguments], check=True)


class Hosts:
    """Hosts `hub-1` to `hub-3`."""

    def __init__(self) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        ip("link", "set", "lo", "up")
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        self.nodes = [self._host(number) for number in (1, 2, 3)]

    @staticmethod
    def inside(name: str) -> list[str]:
        """What a command begins with that runs on a host."""
        return ["ip", "netns", "exec", name]

    def unplug(self, name: str) -> None:
        """Cut a host off from everybody."""
        ip("link", "set", f"to-{name}", "nomaster")

    def plug(self, name: str) -> None:
        """Connect it again."""
        ip("link", "set", f"to-{name}", "master", BRIDGE)

    def part(self, name: str) -> None:
        """Cut a host off from the other two hosts; everybody else reaches all three."""
        self._parting("add", name)

    def join(self, name: str) -> None:
        """Connect it to the other two again."""
        self._parting("del", name)

    def _parting(self, change: str, name: str) -> None:
        for other in self.nodes:
            if other.name != name:
                ip("-n", name, "route", change, "blackhole", f"{other.host}/32")

    @staticmethod
    def _host(number: int) -> Node:
        name, address = f"hub-{number}", f"{NETWORK}.{10 + number}"
        ip("netns", "add", name)
        ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", f"to-{name}", "master", BRIDGE, "up")
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", name, "link", "set", device, "up")
        return Node(name, address)


async def one_is_cut_off_and_comes_back(hosts: Hosts, world: ClusteredWorld) -> None:
    """Its parties go on over the others, and what it missed it is told; then another."""
    async with Stream(world) as stream:
        await stream.more(2)
        for node in hosts.nodes[:2]:
            hosts.unplug(node.name)
            await stream.more(4)
            hosts.plug(node.name)
            await world.resolver.until_current()
        await stream.all_answered_once()


async def all_are_cut_off_and_come_back(hosts: Hosts, world: ClusteredWorld) -> None:
    """The programs wait, and lose nothing."""
    async with Stream(world) as stream:
        await stream.more(2)
        for node in hosts.nodes:
            hosts.unplug(node.name)
        await world.until(lambda: all(party.ground.post.connected_at is None for party in world.running.values()))
        for node in hosts.nodes:
            hosts.plug(node.name)
        await stream.more(4)
        await stream.all_answered_once()


async def one_is_parted_from_the_others_only(hosts: Hosts, world: ClusteredWorld) -> None:
    """It answers whoever is connected to it, and nobody else is heard there: so he leaves it, and goes on while it
    stays parted, be it an agency or the coordinator."""
    parted, *others = hosts.nodes
    for party in (AGENCY, "coordinator"):
        await stand_apart(world, party, parted, others)
        async with Stream(world) as stream:
            await stream.more(2)
            await part_while_something_waits(hosts, world, party, parted)
            for agency in world.agencies:
                await stream.more_of(agency, 2)
            assert server_of(world, party) != parted.url, "it went on without having left"
            hosts.join(parted.name)
            await stream.more(2)
            await stream.all_answered_once()


def server_of(world: ClusteredWorld, party: str) -> str | None:
    """Where a party is connected."""
    link = world.real_buses[party]._supervision.link
    return None if link is None else f"tls://{link.address.host}:{link.address.port}"


async def stand_apart(world: ClusteredWorld, party: str, node: Node, others: list[Node]) -> None:
    """Have that party alone be connected to a node, and all the others to others."""
    await world.connected(*world.running)
    for name in world.running:
        wanted = {node.url} if name == party else {other.url for other in others}
        while server_of(world, name) not in wanted:
            await world.real_buses[name].renew(elsewhere=True)
    await world.settle()


async def part_while_something_waits(hosts: Hosts, world: ClusteredWorld, party: str, node: Node) -> None:
    """Part the node while somebody on it has something to say, or to be told: who has nothing to say misses nobody."""
    outbox = world.running[party].ground.post.outbox
    for attempt in itertools.count(1):
        await world.until(lambda: len(outbox) > 0)
        hosts.part(node.name)
        await asyncio.sleep(0.2)
        if len(outbox) > 0:
            return
        hosts.join(node.name)
        assert attempt < 50, "nothing was ever on its way"


async def cut_off_parted_and_killed_by_turns(hosts: Hosts, world: ClusteredWorld) -> None:
    """All of it together, for minutes."""
    async with Stream(world) as stream:
        for turn in range(24):
            node = hosts.nodes[turn % 3]
            if turn % 4 == 3:
                world.servers.kill(node.name)
                world.servers.empty(node.name)
                await stream.more(2)
                world.servers.start(node.name)
            elif turn % 4 == 2:
                hosts.part(node.name)
                await asyncio.sleep(SPLIT_S * (1 + turn % 3))
                hosts.join(node.name)
            else:
                hosts.unplug(node.name)
                await stream.more(3)
                hosts.plug(node.name)
            await world.resolver.until_current()
        await stream.all_answered_once()


Story = Callable[[Hosts, ClusteredWorld], Awaitable[None]]
STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        one_is_cut_off_and_comes_back,
        all_are_cut_off_and_come_back,
        one_is_parted_from_the_others_only,
        cut_off_parted_and_killed_by_turns,
    )
}


async def _play(stories: list[Story], folder: Path) -> None:
    hosts = Hosts()
    world = ClusteredWorld(folder, agencies=("northshire", "southshire"), nodes=hosts.nodes, prefix=hosts.inside)
    try:
        await world.start()
        for story in stories:
            print("story:", story.__name__, flush=True)
            await story(hosts, world)
    finally:
        await world.stop()


if __name__ == "__main__":
    asyncio.run(_play([STORIES[name] for name in sys.argv[2:]], Path(sys.argv[1])))
