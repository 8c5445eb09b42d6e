"""A hub's directory on one machine, and how commands reach the programs that run from it.

    hub.toml        which bus: an embedded server of our own, or somebody's
    coordinator/    the coordinator's home     desk/    the desk's     admission/    admission's
    bus/            the embedded server's files

The three are meant to run as three operating-system users; `broker run` on one machine starts them as one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from broker.desk.officers import sign_command
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient, NotRunning
from broker.node.home import Home
from broker.node.keyfile import KeyFile, KeyFileInvalid, read_key_file
from broker.node.settings import Section, load_settings
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.entry import nonce

LOOPBACK: Final = "127.0.0.1"


class HubBus(Section):
    """Which bus the hub uses."""

    embedded_port: int | None = None
    embedded_host: str = LOOPBACK
    urls: list[str] = Field(default_factory=list)


class HubSettings(Section):
    """`hub.toml`."""

    bus: HubBus


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub's directory."""

    path: Path

    @property
    def coordinator(self) -> Home:
        """The coordinator's home."""
        return Home(self.path / "coordinator")

    @property
    def desk(self) -> Home:
        """The desk's home."""
        return Home(self.path / "desk")

    @property
    def admission(self) -> Home:
        """Admission's."""
        return Home(self.path / "admission")

    def home(self, party: str) -> Home:
        """The home of coordinator, desk or admission, by that name."""
        return {"coordinator": self.coordinator, "desk": self.desk, "admission": self.admission}[party]

    def settings(self) -> HubSettings:
        """What `hub.toml` says.

        Raises:
            SettingsInvalid: it is missing, or a key does not hold.
        """
        return load_settings(self.path / "hub.toml", HubSettings)

    def ask_coordinator(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Have the running coordinator carry out a command.

        Raises:
            NotRunning, CommandFailed.
        """
        return CommandClient(self.coordinator.socket_path).ask(command, arguments)

    def ask_desk(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Have the running desk carry out a command that needs no officer.

        Raises:
            NotRunning, CommandFailed.
        """
        return CommandClient(self.desk.socket_path).ask(command, arguments)

    def ask_admission(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Have the running admission carry out a command.

        Raises:
            NotRunning, CommandFailed.
        """
        return CommandClient(self.admission.socket_path).ask(command, arguments)

    def tell_both(self, command: str) -> None:
        """Have whichever of coordinator and desk runs carry out a command; the other learns of it when it starts."""
        for ask in (self.ask_coordinator, self.ask_desk):
            try:
                ask(command)
            except NotRunning:
                continue


@dataclass(frozen=True, slots=True)
class OfficerAtDesk:
    """An officer, with the officer's keys, speaking to the desk."""

    hub: Hub
    keys: KeyFile

    @classmethod
    def of(cls, hub: Hub, key_path: Path) -> OfficerAtDesk:
        """The officer whose key file that is.

        Raises:
            KeyFileInvalid: it is not an officer's.
        """
        keys = read_key_file(key_path)
        if keys.party is None:
            raise KeyFileInvalid(f"{key_path} is not an officer's key file; make one with: broker officer new")
        return cls(hub, keys)

    @property
    def officer(self) -> str:
        """The officer's id."""
        assert self.keys.party is not None
        return self.keys.party.id

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Have the desk carry out a command, signed by this officer.

        Raises:
            NotRunning, CommandFailed.
        """
        text = json.dumps(dict(body)) if body is not None else ""
        header = sign_command(
            self.keys.signing_key(KeyPurpose.COMMAND),
            self.officer,
            method,
            path,
            text.encode(),
            sent_at=SystemClock().now(),
            nonce=nonce(),
        )
        return self.hub.ask_desk("officer", {"method": method, "path": path, "header": header, "body": text})
