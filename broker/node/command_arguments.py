"""What a command of the local socket takes: a strict model, read the same way everywhere.

What does not hold is named by its place and its kind, never by its value.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from broker.node.commands import CommandMalformed


class Arguments(BaseModel):
    """The JSON object of a command: frozen, strict, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class NoArguments(Arguments):
    """Of a command that takes none."""


A = TypeVar("A", bound=Arguments)


def read_arguments(model: type[A], arguments: dict[str, Any]) -> A:
    """The arguments of a command.

    Raises:
        CommandMalformed: one is missing, unknown or of another kind; the text names it.
    """
    try:
        # As the JSON that it came as: strict, a word of a closed list is a text only there.
        return model.model_validate_json(json.dumps(arguments))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        where = f"argument {place}" if place else "the arguments"
        raise CommandMalformed(f"{where}: {first['type']}") from None
