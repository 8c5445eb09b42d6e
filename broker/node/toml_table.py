"""A TOML file as the table it holds. Of the standard library, so that a command can look at one key and be quick.

Refuses to know which keys there may be; `broker.node.settings` does.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from schemas.failures import Failure


class SettingsInvalid(Failure):
    """A configuration that cannot be used; the text names the file, the key and what is wrong with it."""

    code = "settings_invalid"


def read_table(path: Path) -> dict[str, Any]:
    """The table in a file.

    Raises:
        SettingsInvalid: it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read ({error.strerror}); make it with init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} is not TOML: {error}") from None
