"""The outer message: what travels between two nodes, whatever it carries (SPEC 4).

Its header names sender, receiver, id and the digest of every part, and is signed by the sender's message key. What it
carries (requests, grants, entries, receipts, answers) stays evidence by itself. Lasting kinds are repeated until the
receiver's signed acknowledgement; passing kinds, which somebody asks for again or says again, are not.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from schemas.envelope import MAX_PARTS
from schemas.failure_codes import listed_code
from schemas.messages.fields import Count, Hex16, Hex32, Millis, Slug, Token, Word
from schemas.messages.model import Message, read_one_of

MAX_STATEMENTS: Final = 12
"""Statements that one directory message carries beside its three other parts."""


class Outer(Message):
    """What every outer header says (SPEC 4.2)."""

    lasting: ClassVar[bool] = True

    hub: Slug
    sender: Slug
    receiver: Slug
    message_key: Hex16 = Field(description="Key id of the sender's message key.")
    message_id: Hex16
    sent_at: Millis
    expires_at: Millis = Field(description="After this the message is refused; its id is remembered until then.")
    epoch: Hex16 = Field(description="The sender's store epoch: changes when its store was restored.")
    parts: Annotated[list[Hex32], Field(max_length=MAX_PARTS, default_factory=list)]


class Submission(Outer):
    """Desk to coordinator: a request. Parts: request envelope."""

    kind: Literal["submission"] = "submission"
    exchange: Hex16


class Delivery(Outer):
    """Coordinator to agent. Parts: request envelope, grant envelope, receipt of the request entry, extension."""

    kind: Literal["delivery"] = "delivery"
    exchange: Hex16
    last_seq: Count = Field(description="Newest sequence number of an entry made by the hub that names this agency.")


class Deed(Outer):
    """A party to the coordinator: the leaf of an entry about its own deed, and its addendum where it has one."""

    kind: Literal["deed"] = "deed"
    exchange: Hex16 | None = None


class Released(Outer):
    """Agent to desk: the answer envelope and the receipt of its release entry."""

    kind: Literal["released"] = "released"
    exchange: Hex16


class Notice(Outer):
    """Coordinator to agent or desk: an entry that names it. Parts: receipt, and to an agent an extension.

    Of an entry that the agency's lead is told of (SPEC 4.7) the agent is sent its addendum too, empty if it was erased.
    """

    kind: Literal["notice"] = "notice"
    exchange: Hex16 | None = None
    last_seq: Count = 0


class NotTaken(Outer):
    """Coordinator to desk: the agency refused the delivery for good, by that code; it is not repeated. No parts."""

    kind: Literal["not_taken"] = "not_taken"
    exchange: Hex16
    code: Annotated[Word, AfterValidator(listed_code)]


class PolicyIssue(Outer):
    """Coordinator to agent: a policy version. Parts: statement frame, files, receipt of its entry, extension."""

    kind: Literal["policy"] = "policy"
    number: Count = Field(description="Number of the version.")
    last_seq: Count = Field(description="As of a delivery.")


class Acknowledgement(Outer):
    """A receiver's signed word that it has committed a message, and what came of it (SPEC 4.4).

    `code` is `committed` or the code of the failure for which it was rejected; any other word reads as `rejected`.
    Parts: to a submission the ruling, the
    receipt, and the grant envelope if permitted; to a delivery the deed `acknowledged`; to a deed its receipt, and to
    an agent an extension; to a renewal the account JWT and the certificate chain in PEM, each of which may be empty. An
    extension is u64 big-endian start and the 32-byte leaf hashes from there on (SPEC 7.5).
    """

    lasting: ClassVar[bool] = False

    kind: Literal["acknowledgement"] = "acknowledgement"
    acknowledges: Hex16 = Field(description="Message id of what is acknowledged.")
    acknowledged_digest: Hex32 = Field(description="Digest of its header.")
    code: Annotated[Word, AfterValidator(listed_code)]


class Hello(Outer):
    """A party to its hub: I am here; my mirror has that size and I hold the hub's entries up to that number.

    Part: the newest checkpoint of the hub's log that is held, if one is. A desk says it to an agent too, with zeros and
    no part, after its own store was restored (SPEC 4.5).
    """

    lasting: ClassVar[bool] = False

    kind: Literal["hello"] = "hello"
    mirror_size: Count
    last_seq: Count


class Head(Outer):
    """Coordinator to a party: the newest checkpoint and entry number. Parts: checkpoint, extension."""

    lasting: ClassVar[bool] = False

    kind: Literal["head"] = "head"
    size: Count
    last_seq: Count


class LogQuery(Outer):
    """A party to its hub: send the leaf hashes from there on."""

    lasting: ClassVar[bool] = False

    kind: Literal["log_query"] = "log_query"
    start: Count


class LogPage(Outer):
    """Coordinator to a party: leaf hashes from `start` on, 32 bytes each, and a checkpoint that covers them."""

    lasting: ClassVar[bool] = False

    kind: Literal["log_page"] = "log_page"
    start: Count
    size: Count


class DirectoryIssue(Outer):
    """Admission to a party. Parts: directory frame, its lines, the receipt of its `key` entry, then party frames."""

    lasting: ClassVar[bool] = False

    kind: Literal["directory"] = "directory"
    version: Count = Field(description="Version of the directory that the parts hold.")


class DirectoryQuery(Outer):
    """A party to admission: I hold the directory of that version; send the newest, and these parties' statements."""

    lasting: ClassVar[bool] = False

    kind: Literal["directory_query"] = "directory_query"
    version: Count = Field(description="0 for none.")
    wanted: Annotated[list[Slug], Field(max_length=MAX_STATEMENTS, default_factory=list)]
    trusts: Hex32 | None = Field(
        default=None, description="Digest of the bus's authorities (PEM) that the party trusts (SPEC 10.5)."
    )


class Renewal(Outer):
    """A party to admission: its newer statement. Parts: party frame, certificate request (PKCS#10 DER, or empty)."""

    kind: Literal["renewal"] = "renewal"
    challenge_digest: Hex32 | None = Field(
        default=None, description="Digest of the opened challenge of the admission reply (SPEC 10.3)."
    )


class Flooding(Outer):
    """Coordinator or desk to admission: on that token more comes in than its owner may send."""

    lasting: ClassVar[bool] = False

    kind: Literal["flooding"] = "flooding"
    token: Token
    rate: Count = Field(description="Messages a second.")


def own_statement_part(outer: Outer) -> int | None:
    """The number of the part that may hold the sender's own newer statement, for the kinds that have one (SPEC 4.3)."""
    if isinstance(outer, Renewal):
        return 0
    return 3 if isinstance(outer, DirectoryIssue) else None


def kind_of(model: type[Outer]) -> str:
    """The word for that kind of message."""
    return str(model.model_fields["kind"].default)


OUTER: Final[dict[str, type[Outer]]] = {
    kind_of(model): model
    for model in (
        Submission,
        Delivery,
        Deed,
        Released,
        Notice,
        NotTaken,
        PolicyIssue,
        Acknowledgement,
        Hello,
        Head,
        LogQuery,
        LogPage,
        DirectoryIssue,
        DirectoryQuery,
        Renewal,
        Flooding,
    )
}
MAX_PAGE_LEAVES: Final = 8192
"""256 KiB of hashes: a log of a million entries is caught up in 123 pages."""
MAX_EXTENSION_LEAVES: Final = 2048
"""64 KiB of hashes carried along with a delivery; a mirror further behind asks for pages."""


def read_outer(header: bytes) -> Outer:
    """The outer message whose header these bytes are.

    Raises:
        KindUnexpected: no such kind of message.
        Rejected: not a header of that kind.
    """
    return read_one_of(OUTER, "kind", header)
