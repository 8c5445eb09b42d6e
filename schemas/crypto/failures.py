"""What keys, signatures and seals can fail with. No text here ever holds key bytes or plaintext."""

from __future__ import annotations

from schemas.failures import Rejected


class KeyMalformed(Rejected):
    """Key bytes of the wrong length or form, or a point that would forge for everyone."""

    code = "key_malformed"


class WrongPurpose(Rejected):
    """A key was used for something other than its purpose."""

    code = "wrong_purpose"


class SignatureMissing(Rejected):
    """No signature by the key that should have signed."""

    code = "signature_missing"


class SignatureInvalid(Rejected):
    """A signature that does not hold for these bytes, this purpose and this key."""

    code = "signature_invalid"


class SealBroken(Rejected):
    """A sealed text that this key and this header do not open."""

    code = "seal_broken"


class PaddingInvalid(Rejected):
    """An opened text whose padding is not the one SPEC 3.5 prescribes."""

    code = "padding_invalid"


class KeyNotCommitted(Rejected):
    """An addendum's key is not the one the addendum commits to."""

    code = "key_not_committed"
