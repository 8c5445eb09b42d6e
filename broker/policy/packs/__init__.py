"""The policy packs, one a folder, and how one is loaded by its name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from broker.node.policy import Policy, PolicyInvalid, load_policy

ENGLAND: Final = "england"


def names() -> tuple[str, ...]:
    """The packs that come with the program."""
    folders = resources.files(__package__).iterdir()
    return tuple(sorted(each.name for each in folders if each.is_dir() and not each.name.startswith("_")))


def load_pack(name: str) -> Policy:
    """The pack of that name, against the hub's schema.

    Raises:
        PolicyInvalid: there is none, or it does not hold.
    """
    if name not in names():
        raise PolicyInvalid(f"there is no policy pack {name!r}; there are {', '.join(names())}")
    return load_policy(resources.files("broker.policy") / "hub.cedarschema", resources.files(__package__) / name)


def load_own_pack(directory: Path) -> Policy:
    """A hub's own pack, against the hub's schema.

    Raises:
        PolicyInvalid: it does not hold.
    """
    return load_policy(resources.files("broker.policy") / "hub.cedarschema", directory)
