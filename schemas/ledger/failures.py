"""Why something of the sharing log does not hold: one class and one code a reason.

The texts name the check and never a key name, an origin, an index or a hash.
"""

from __future__ import annotations

from schemas.failures import Rejected


class LedgerRejected(Rejected):
    """Bytes or a proof of the sharing log do not hold. Base of every failure in `schemas.ledger`."""

    code = "ledger_rejected"


class TreeOutOfRange(LedgerRejected):
    """An index or a size that the tree in question does not have."""

    code = "tree_out_of_range"


class RangeMalformed(LedgerRejected):
    """Peaks that cannot be those of a tree of that size, or a hash that is not 32 bytes."""

    code = "compact_range_malformed"


class InclusionNotProven(LedgerRejected):
    """The path does not lead from the leaf to the root."""

    code = "inclusion_not_proven"


class ConsistencyNotProven(LedgerRejected):
    """The path does not show the newer tree to begin with the older one."""

    code = "consistency_not_proven"


class VerifierKeyMalformed(LedgerRejected):
    """Not a verifier key in its one canonical form, or its key ID is not that of its key."""

    code = "verifier_key_malformed"


class VerifierKeyWeak(LedgerRejected):
    """An Ed25519 point of small order or in a second encoding: signatures could be made without the private key."""

    code = "verifier_key_weak"


class VerifierKeyUnsuitable(LedgerRejected):
    """A sound key of a signature type that cannot answer this question."""

    code = "verifier_key_unsuitable"


class VerifierKeyAmbiguous(LedgerRejected):
    """The same key, or the same name and key ID, stands twice among the trusted."""

    code = "verifier_key_ambiguous"


class NoteMalformed(LedgerRejected):
    """Not a signed note."""

    code = "note_malformed"


class NoteTooLarge(LedgerRejected):
    """More bytes or more signatures than we read."""

    code = "note_too_large"


class NoteNotSigned(LedgerRejected):
    """No signature by a key we know."""

    code = "note_not_signed"


class NoteSignatureInvalid(LedgerRejected):
    """A signature line that claims a key we know and is not by that key."""

    code = "note_signature_invalid"


class NoteSignatureRepeated(LedgerRejected):
    """Two signature lines claim the same key."""

    code = "note_signature_repeated"


class CheckpointMalformed(LedgerRejected):
    """A note that is not a checkpoint of exactly three lines, or a tree head that cannot be one."""

    code = "checkpoint_malformed"


class CheckpointForeign(LedgerRejected):
    """A checkpoint, or a key, of another log."""

    code = "checkpoint_foreign"


class CosignatureInvalid(LedgerRejected):
    """A cosignature line that claims a cosigner we know and does not hold for this checkpoint."""

    code = "cosignature_invalid"


class TileMalformed(LedgerRejected):
    """A tile path in another than its one form, or tile bytes that are not that many hashes."""

    code = "tile_malformed"


class BundleMalformed(LedgerRejected):
    """An entry bundle whose lengths do not add up."""

    code = "bundle_malformed"


class ProofMalformed(LedgerRejected):
    """Not a `c2sp.org/tlog-proof@v1` text in its one canonical form."""

    code = "proof_malformed"


class ReceiptMalformed(LedgerRejected):
    """Not a receipt: the lengths do not add up, or it carries what nobody signed."""

    code = "receipt_malformed"


class ReceiptTooLarge(LedgerRejected):
    """A leaf or a receipt above its limit."""

    code = "receipt_too_large"
