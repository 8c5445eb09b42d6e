"""A program's configuration: one TOML file, read once, frozen; an unknown key stops the start with the key's name.

It holds paths to secrets and never secrets. What every node has is here; each program adds sections of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.node.toml_table import SettingsInvalid, read_table


class Section(BaseModel):
    """A table of the file: frozen, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class BusSettings(Section):
    """Where the bus is."""

    urls: Annotated[list[str], Field(max_length=16)] = Field(
        default_factory=list,
        description='For example ["tls://bus.hub.example:4222", "wss://bus.hub.example:443"]; without it, what the hub '
        "handed over in bus/addresses.",
    )
    proxy: str | None = Field(default=None, description="http://host:port of a proxy, if there is no other way out.")


class ObserveSettings(Section):
    """Where health and metrics are served."""

    port: Annotated[int, Field(ge=0, le=65535)] = Field(default=0, description="On 127.0.0.1; 0 takes a free one.")


class KeysSettings(Section):
    """How private keys are sealed at rest."""

    wrapping: str = Field(
        default="file",
        description="file, file:/PATH, systemd-credential:NAME, passphrase-file:/PATH, keyring or device:NAME; "
        "after a change run keys rewrap.",
    )


class BackupSettings(Section):
    """Where what is committed is kept a second time."""

    follow: Path | None = Field(
        default=None, description="A folder on another volume, absolute; the program halts if it is lost."
    )


class NodeSettings(Section):
    """What the configuration of every program has."""

    bus: BusSettings = BusSettings()
    observe: ObserveSettings = ObserveSettings()
    keys: KeysSettings = KeysSettings()
    backup: BackupSettings = BackupSettings()


S = TypeVar("S", bound=BaseModel)
_SAYS: Final = {
    "extra_forbidden": "is not a setting of this program; remove it or correct its spelling",
    "missing": "is missing",
}


def load_settings(path: Path, model: type[S]) -> S:
    """The settings in a file.

    Raises:
        SettingsInvalid: it cannot be read, is not TOML, or a key does not hold.
    """
    return settings_of(read_table(path), model, str(path))


def settings_of(members: object, model: type[S], where: str) -> S:
    """The settings in a parsed table; `where` is for the message.

    Raises:
        SettingsInvalid: a key does not hold.
    """
    try:
        return model.model_validate(members)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise SettingsInvalid(f"{where}: {key} {_SAYS.get(first['type'], first['msg'].lower())}") from None
