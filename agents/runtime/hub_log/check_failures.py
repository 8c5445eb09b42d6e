"""What a delivery can fail with: one class and one code for each check of SPEC 5.4, in their order."""

from __future__ import annotations

from schemas.failures import Rejected


class DeliveryIncomplete(Rejected):
    """Check 1: not the four parts of a delivery."""

    code = "delivery_incomplete"


class ReceiptUntrusted(Rejected):
    """Check 2: the receipt does not verify under the pinned log key and origin of the hub."""

    code = "receipt_untrusted"


class EntryForeign(Rejected):
    """Check 3: the receipt is of no request entry, or of another hub, log, agency or exchange."""

    code = "entry_foreign"


class RequestNotLogged(Rejected):
    """Check 4: the entry names another request."""

    code = "request_not_logged"


class GrantNotLogged(Rejected):
    """Check 5: the entry names another grant."""

    code = "grant_not_logged"


class RequestMalformed(Rejected):
    """Check 6: not a request header with its body and addendum."""

    code = "request_malformed"


class AddendumNotLogged(Rejected):
    """Check 7: the entry names another addendum."""

    code = "addendum_not_logged"


class RequestMisaddressed(Rejected):
    """Check 8: the request is for another hub, log, agency or exchange."""

    code = "request_misaddressed"


class RequestUntimely(Rejected):
    """Check 9: its times are not those of the entry, it is past its expiry, or it is dated in the future."""

    code = "request_untimely"


class DeskUntrusted(Rejected):
    """Check 10: not signed by the pinned desk's request key that header and entry name, or not as the entry says."""

    code = "desk_untrusted"


class OfficerUntrusted(Rejected):
    """Check 11: no pinned officer of that role has signed the request with the key it names."""

    code = "officer_untrusted"


class ManagerUntrusted(Rejected):
    """Check 11: whoever broke the glass is no pinned manager, has not signed, or the manager's word is over."""

    code = "manager_untrusted"


class GrantUntrusted(Rejected):
    """Check 12: not signed by the pinned coordinator's grant key."""

    code = "grant_untrusted"


class GrantForeign(Rejected):
    """Check 13: the grant is for another hub, agency, exchange or request."""

    code = "grant_foreign"


class GrantUntimely(Rejected):
    """Check 14: the grant is not in force now."""

    code = "grant_untimely"


class GrantTooWide(Rejected):
    """Check 15: the grant allows what the request did not ask for."""

    code = "grant_too_wide"


class SealKeyUnknown(Rejected):
    """Check 16: sealed to a key or epoch that is none of this agency's."""

    code = "seal_key_unknown"


class BodySealed(Rejected):
    """Check 17: the body does not open, or is of another exchange."""

    code = "body_sealed"


class AddendumSealed(Rejected):
    """Check 18: the addendum does not open with the body's key, or is of another exchange."""

    code = "addendum_sealed"


class ToldDiffers(Rejected):
    """Check 19: the addendum does not say what the body says, byte for byte."""

    code = "told_differs"


class SubjectsDiffer(Rejected):
    """Check 20: the body is about other references or roles, another officer or another stage than the header."""

    code = "subjects_differ"
