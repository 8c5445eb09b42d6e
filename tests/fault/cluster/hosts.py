"""Three hosts and the network between them, in namespaces of this process: what happens in here touches no other.

Run by `test_cut_off` as `unshare --net --mount python -m tests.fault.cluster.hosts STORY FOLDER`, as root or as one in
a namespace of users. Each host has a network namespace of its own and is plugged into a bridge; the programs speak from
the bridge's own address. To be unplugged is to be cut off without a word: no packet, and no error, gets through.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from broker.enrolment.server_files import Node
from tests.support.clustered import ClusteredWorld, Stream

BRIDGE = "hub"
NETWORK = "10.77.0"
SPLIT_S = 4.0
"""Longer than a client needs to find that its own link is dead (`clustered.QUICK`)."""


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
    """Whoever is connected to it is heard by nobody else until they are joined again; then everything arrives once."""
    async with Stream(world) as stream:
        await stream.more(2)
        hosts.part(hosts.nodes[0].name)
        await asyncio.sleep(SPLIT_S)
        hosts.join(hosts.nodes[0].name)
        await stream.more(2)
        await stream.all_answered_once()


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


async def _play(story: Story, folder: Path) -> None:
    hosts = Hosts()
    world = ClusteredWorld(folder, agencies=("northshire", "southshire"), nodes=hosts.nodes, prefix=hosts.inside)
    try:
        await world.start()
        await story(hosts, world)
    finally:
        await world.stop()


if __name__ == "__main__":
    asyncio.run(_play(STORIES[sys.argv[1]], Path(sys.argv[2])))
