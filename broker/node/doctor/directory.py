"""The doctor on the hub's directory: the running program holds one, and it has not expired."""

from __future__ import annotations

from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.words import minute
from broker.node.home import Home


def check_directory(home: Home, now: int) -> str | Warned:
    """Which directory the program holds, and until when.

    Raises: NotWell, if it has expired: since when, and what to do.
    """
    try:
        held = CommandClient(home.socket_path).ask("keys")["directory"]
    except NotRunning:
        return "not running; it asks admission for the newest when it starts"
    except CommandFailed as failure:
        raise NotWell(failure.detail) from None
    if held is None:
        return Warned("no directory yet: nobody's newer keys are taken up; is admission running at the hub?")
    version, ends_at = held["version"], held["expires_at"]
    if ends_at <= now:
        raise NotWell(
            f"directory {version} expired {minute(ends_at)}, and no newer one came: nothing is trusted that it does "
            "not confirm; have admission run at the hub (broker run admission)"
        )
    return f"version {version}, until {minute(ends_at)}"
