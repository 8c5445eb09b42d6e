"""What the agent's local command socket takes for the review desk. Thin: words in, JSON out.

The list is codes and times, and whoever may use the socket may see it. Whatever names people, or changes anything, is
asked with the reviewer's id and passphrase each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from agents.runtime.review.acts import Acting
from agents.runtime.review.reviewers import MAX_PASSPHRASE, SignedIn
from agents.runtime.review.room import ReviewRoom
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from schemas.messages.fields import Hex16, Hex32, Slug


class _By(Arguments):
    reviewer: Slug
    passphrase: Annotated[str, Field(max_length=MAX_PASSPHRASE, repr=False)]


class _Show(_By):
    exchange: Hex16


class _Act(_By):
    acting: Acting


class _Release(_By):
    exchange: Hex16
    shown: Hex32


def review_commands(room: ReviewRoom) -> Mapping[str, Command]:
    """The commands of one review desk, by name."""

    async def signed_in(by: _By) -> SignedIn:
        return await room.door.sign_in(by.reviewer, by.passphrase)

    async def list_(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        return {"now": room.post.clock.now(), "waiting": room.listed(), "has_desk": room.settings.role is not None}

    async def show(arguments: dict[str, Any]) -> Any:
        asked = read_arguments(_Show, arguments)
        await signed_in(asked)
        return await room.shown(asked.exchange)

    async def act(arguments: dict[str, Any]) -> Any:
        asked = read_arguments(_Act, arguments)
        await room.act(await signed_in(asked), asked.acting)
        return await room.shown(asked.acting.exchange)

    async def release(arguments: dict[str, Any]) -> Any:
        asked = read_arguments(_Release, arguments)
        return {"missing": await room.release(await signed_in(asked), asked.exchange, asked.shown)}

    return {"review-list": list_, "review-show": show, "review-act": act, "review-release": release}
