"""The names of the servers that the hub configured, one a line in `<admission's home>/bus/servers`.

`broker bus config` and the embedded server's start write them; `broker bus check` misses whoever of them it never sees.
"""

from __future__ import annotations

from collections.abc import Iterable

from broker.node.home import Home, write_whole


def note_servers(admission: Home, names: Iterable[str]) -> None:
    """Remember which servers there are to be, in place of those of before."""
    folder = admission.path / "bus"
    folder.mkdir(mode=0o700, exist_ok=True)
    write_whole(folder / "servers", "".join(f"{name}\n" for name in names).encode("ascii"))


def noted_servers(admission: Home) -> tuple[str, ...]:
    """The names; none, if no server was ever configured from here."""
    try:
        return tuple((admission.path / "bus" / "servers").read_text("ascii").split())
    except FileNotFoundError:
        return ()
