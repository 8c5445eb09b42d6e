"""The policy packs, one a folder, and how one is gathered, held against its expected decisions, and loaded by name."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from broker.node.policy import PolicyInvalid
from broker.policy.expected import check_expected
from broker.policy.legal import BASES_FILE
from broker.policy.pack import SCHEMA, Pack, PackFiles, make_pack

ENGLAND: Final = "england"
MAX_FILES: Final = 64
"""A pack is read by people; of a folder with more, something else is meant."""
REMEMBERED: Final = 8
"""Packs that were loaded, by their digest: one is published, taken and in force as the same pack."""
_loaded: Final[dict[str, Pack]] = {}


def names() -> tuple[str, ...]:
    """The packs that come with the program."""
    folders = resources.files(__package__).iterdir()
    return tuple(sorted(each.name for each in folders if each.is_dir() and not each.name.startswith("_")))


def folder_of(name: str) -> Traversable:
    """The folder of the pack of that name.

    Raises:
        PolicyInvalid: there is none.
    """
    if name not in names():
        raise PolicyInvalid(f"there is no policy pack {name!r}; there are {', '.join(names())}")
    return resources.files(__package__) / name


def find_pack(pack: str) -> Path | Traversable:
    """The folder of a pack as a person names it: by its name if it comes with the program, else by the folder."""
    return folder_of(pack) if pack in names() else Path(pack)


def gather(folder: Path | Traversable) -> PackFiles:
    """The bytes of a pack, with the schema and the legal bases that come with the program.

    Raises:
        PolicyInvalid: the folder cannot be read.
    """
    shipped = resources.files("broker.policy")
    try:
        own = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith((".cedar", ".toml"))}
        if len(own) > MAX_FILES:
            raise PolicyInvalid(f"the folder has {len(own)} files of policy, at most {MAX_FILES} are read")
        bases = (shipped / "reference" / BASES_FILE).read_bytes()
        return PackFiles((shipped / SCHEMA).read_bytes(), bases, own)
    except OSError as error:
        known = ", ".join(names())
        raise PolicyInvalid(f"{folder} cannot be read ({type(error).__name__}): a folder, or one of {known}") from None


def load(files: PackFiles) -> Pack:
    """The pack of these files, held against its expected decisions.

    Raises:
        PolicyInvalid: it does not hold; the text says file, line and reason.
    """
    digest = files.digest
    known = _loaded.get(digest)
    if known is None:
        known = make_pack(files)
        check_expected(known, files.files)
        if len(_loaded) >= REMEMBERED:
            _loaded.clear()
        _loaded[digest] = known
    return known


def load_pack(name: str) -> Pack:
    """The pack of that name.

    Raises:
        PolicyInvalid: there is none, or it does not hold.
    """
    return load(gather(folder_of(name)))
