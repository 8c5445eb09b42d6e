"""Vectors of forms that know no key: canonical JSON, identifiers, padding, frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from schemas.canonical import MAX_DEPTH, MAX_INTEGER
from schemas.crypto.padding import BUCKETS, MAX_CONTENT_BYTES, pad
from schemas.envelope import MAX_HEADER_BYTES, Signature, pack
from schemas.identifiers import IdentifierKind

Case: TypeAlias = "Mapping[str, object]"

LIMIT_BYTES: Final = 1024


def canonical_vectors() -> list[Case]:
    """Bytes to be read with a limit of 1024, and what reading them must end in."""
    deep = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"1" + b"]" * (MAX_DEPTH - 1) + b"}"
    top = str(MAX_INTEGER).encode()
    cases: list[tuple[str, bytes, str]] = [
        ("an empty object", b"{}", "ok"),
        ("every kind of value", b'{"a":[true,false,0,-1,"x",{}],"b":{"c":[]}}', "ok"),
        ("keys in order of their code units", b'{"A":1,"_":1,"a":1,"a b":1,"aa":1,"~":1}', "ok"),
        ("the short escapes", rb'{"a":"\b\t\n\f\r\"\\"}', "ok"),
        ("the long escapes", rb'{"a":"\u0000\u001f"}', "ok"),
        ("characters that are not escaped", '{"a":"/<>&\x7f\u2028é€𝄞"}'.encode(), "ok"),
        ("the largest integers", b'{"a":' + top + b',"b":-' + top + b"}", "ok"),
        ("nested 24 deep", deep, "ok"),
        ("as long as the limit", b'{"a":"' + b"x" * (LIMIT_BYTES - 8) + b'"}', "ok"),
        ("longer than the limit", b'{"a":"' + b"x" * (LIMIT_BYTES - 7) + b'"}', "too_large"),
        ("longer than the limit, and not JSON", b"x" * (LIMIT_BYTES + 1), "too_large"),
        ("nothing", b"", "malformed"),
        ("an array", b"[]", "malformed"),
        ("a string", b'"a"', "malformed"),
        ("not UTF-8", b'{"a":"\xff"}', "malformed"),
        ("a surrogate in UTF-8", b'{"a":"\xed\xa0\x80"}', "malformed"),
        ("an overlong form in UTF-8", b'{"a":"\xc0\xaf"}', "malformed"),
        ("a byte order mark", b"\xef\xbb\xbf{}", "malformed"),
        ("UTF-16", '{"a":1}'.encode("utf-16"), "malformed"),
        ("a comma too many", b'{"a":1,}', "malformed"),
        ("text after the end", b'{"a":1}x', "malformed"),
        ("a comment", b'{"a":1}//', "malformed"),
        ("a control character", b'{"a":"\n"}', "malformed"),
        ("not a number", b'{"a":NaN}', "malformed"),
        ("infinity", b'{"a":-Infinity}', "malformed"),
        ("a leading zero", b'{"a":01}', "malformed"),
        ("a repeated key in malformed text", b'{"a":{"b":1,"b":1}', "malformed"),
        ("a repeated key", b'{"a":1,"a":1}', "duplicate_key"),
        ("a repeated key, once escaped", rb'{"a":1,"\u0061":1}', "duplicate_key"),
        ("a repeated key inside", b'{"a":[{"b":1,"b":2}]}', "duplicate_key"),
        ("null", b'{"a":null}', "outside_profile"),
        ("a fraction", b'{"a":1.5}', "outside_profile"),
        ("a fraction that is whole", b'{"a":1.0}', "outside_profile"),
        ("an exponent", b'{"a":1e2}', "outside_profile"),
        ("2 to the 53rd", b'{"a":9007199254740992}', "outside_profile"),
        ("minus 2 to the 53rd", b'{"a":-9007199254740992}', "outside_profile"),
        ("an integer of 900 digits", b'{"a":' + b"9" * 900 + b"}", "outside_profile"),
        ("a key that is not ASCII", '{"é":1}'.encode(), "outside_profile"),
        ("half a surrogate pair", rb'{"a":"\ud834"}', "outside_profile"),
        ("nested 25 deep", b'{"a":[' + deep[5:-1] + b"]}", "outside_profile"),
        ("a space", b'{"a": 1}', "not_canonical"),
        ("a newline at the end", b'{"a":1}\n', "not_canonical"),
        ("keys out of order", b'{"b":1,"a":1}', "not_canonical"),
        ("minus zero", b'{"a":-0}', "not_canonical"),
        ("an escape for a plain letter", rb'{"a":"\u0062"}', "not_canonical"),
        ("an escaped slash", rb'{"a":"\/"}', "not_canonical"),
        ("a long escape for a short one", rb'{"a":"\u000a"}', "not_canonical"),
        ("a capital in an escape", rb'{"a":"\u001F"}', "not_canonical"),
        ("an escaped surrogate pair", rb'{"a":"\ud834\udd1e"}', "not_canonical"),
    ]
    return [{"name": name, "raw_hex": raw.hex(), "expect": expect} for name, raw, expect in cases]


def member_vectors() -> list[Case]:
    """Canonical objects, the member `d` to be cut out of their bytes, and what is left."""
    sound = [
        ("the only member", b'{"d":"00"}', b"{}"),
        ("the first of two", b'{"d":"00","e":1}', b'{"e":1}'),
        ("the last of two", b'{"a":1,"d":"00"}', b'{"a":1}'),
        ("the middle of three", b'{"a":1,"d":"00","e":1}', b'{"a":1,"e":1}'),
        ("an empty one", b'{"a":1,"d":""}', b'{"a":1}'),
        ("its like inside a string", rb'{"a":",\"d\":\"00\"","d":"11"}', rb'{"a":",\"d\":\"00\""}'),
        ("its like inside a key", rb'{"a\"d":"00","d":"11"}', rb'{"a\"d":"00"}'),
    ]
    broken = [
        ("none", b'{"a":1}'),
        ("two", b'{"a":{"d":"00"},"d":"11"}'),
        ("capital digits", b'{"d":"AB"}'),
        ("a number", b'{"d":1}'),
        ("only its like inside a key", rb'{"a\"d":"00"}'),
    ]
    return [
        *({"name": name, "raw_hex": raw.hex(), "left_hex": left.hex(), "expect": "ok"} for name, raw, left in sound),
        *({"name": name, "raw_hex": raw.hex(), "expect": "malformed"} for name, raw in broken),
    ]


def identifier_vectors() -> list[Case]:
    """Written identifiers, the kind each is said to be, and their canonical form."""
    sound = [
        (IdentifierKind.NHS_NUMBER, "999 000 0018", "9990000018"),
        (IdentifierKind.NHS_NUMBER, "999-000-0018", "9990000018"),
        (IdentifierKind.UPN, "h801200001001", "H801200001001"),
        (IdentifierKind.PNC, "08/545166T", "2008/0545166T"),
        (IdentifierKind.PNC, "20080545166T", "2008/0545166T"),
        (IdentifierKind.CRO, "29906/12J", "029906/12J"),
        (IdentifierKind.CRN, " x000012 ", "X000012"),
        (IdentifierKind.NOMS, "a1234aa", "A1234AA"),
    ]
    broken = [
        ("a wrong check digit", IdentifierKind.NHS_NUMBER, "9990000019"),
        ("one digit ten times", IdentifierKind.NHS_NUMBER, "1111111111"),
        ("nine digits", IdentifierKind.NHS_NUMBER, "999000001"),
        ("digits of another script", IdentifierKind.NHS_NUMBER, "٩٩٩٠٠٠٠٠١٨"),
        ("a wrong check letter", IdentifierKind.UPN, "A801200001001"),
        ("a letter that is none", IdentifierKind.UPN, "I801200001001"),
        ("a wrong check letter", IdentifierKind.PNC, "2008/0545166U"),
        ("two readings", IdentifierKind.PNC, "20123A"),
        ("a wrong check letter", IdentifierKind.CRO, "029906/12K"),
        ("only zeros", IdentifierKind.CRN, "X000000"),
        ("too few letters", IdentifierKind.NOMS, "A1234A"),
    ]
    return [
        *({"name": text, "kind": kind, "text": text, "canonical": form, "expect": "ok"} for kind, text, form in sound),
        *({"name": n, "kind": kind, "text": text, "expect": "identifier_invalid"} for n, kind, text in broken),
    ]


def padding_vectors() -> list[Case]:
    """Contents' lengths with their buckets, and padded texts: `start_hex`, then zero bytes up to `padded_bytes`."""
    lengths = sorted({length for bucket in BUCKETS for length in (bucket - 4, bucket - 3)} | {0, 1, 100})
    buckets: list[Case] = [
        {"name": f"{length} bytes", "content_bytes": length, "padded_bytes": len(pad(bytes(length))), "expect": "ok"}
        for length in lengths
        if length <= MAX_CONTENT_BYTES
    ]
    too_much: Case = {"name": "one byte too many", "content_bytes": MAX_CONTENT_BYTES + 1}
    padded: list[tuple[str, bytes, int, str]] = [
        ("nothing", bytes(4), 4096, "ok"),
        ("three bytes", bytes([0, 0, 0, 3]) + b"abc", 4096, "ok"),
        ("4093 bytes in 8 KiB", (4093).to_bytes(4, "big"), 8192, "ok"),
        ("no bucket", bytes(4), 4095, "padding_invalid"),
        ("a power of two that is no bucket", bytes(4), 2048, "padding_invalid"),
        ("1 MiB", bytes(4), 1 << 20, "padding_invalid"),
        ("a length beyond the end", (4093).to_bytes(4, "big"), 4096, "padding_invalid"),
        ("a length beyond everything", b"\xff\xff\xff\xff", 4096, "padding_invalid"),
        ("a bucket too large", (4092).to_bytes(4, "big"), 8192, "padding_invalid"),
        ("padding that is not zero", bytes([0, 0, 0, 3]) + b"abcd", 4096, "padding_invalid"),
    ]
    return [
        *buckets,
        {**too_much, "expect": "content_too_large"},
        *(
            {"name": name, "start_hex": start.hex(), "padded_bytes": length, "expect": expect}
            for name, start, length, expect in padded
        ),
    ]


def frame_vectors() -> list[Case]:
    """Frames, their pieces, and bytes that are none."""
    one = Signature("01" * 16, b"\x02" * 64)
    sound = pack(b'{"a":1}', [one], [b"", b"part"])
    bare = pack(b"{}")
    whole = [
        ("header, signature, two parts", sound),
        ("a header alone", bare),
        ("no header", pack(b"")),
        ("four signatures", pack(b"{}", [one] * 4)),
        ("sixteen parts", pack(b"{}", (), [b"x"] * 16)),
        ("the longest header", pack(b"x" * MAX_HEADER_BYTES)),
    ]
    over = (MAX_HEADER_BYTES + 1).to_bytes(4, "big")
    broken = [
        ("nothing", b""),
        ("another magic", b"ntk2" + sound[4:]),
        ("a byte too few", sound[:-1]),
        ("a byte too many", sound + b"\x00"),
        ("a header one byte too long", b"ntk1" + over + bytes(MAX_HEADER_BYTES + 1) + b"\x00\x00"),
        ("a header longer than the frame", b"ntk1\x00\x00\x00\x08{}\x00\x00"),
        ("five signatures", bare[:-2] + b"\x05" + bytes(5 * 80) + b"\x00"),
        ("seventeen parts", bare[:-1] + b"\x11" + b"\x00\x00\x00\x00" * 17),
        ("a part longer than the frame", bare[:-1] + b"\x01\x00\x00\x00\x02x"),
        ("a signature cut short", bare[:-2] + b"\x01" + bytes(79) + b"\x00"),
    ]
    return [
        *({"name": name, "raw_hex": raw.hex(), "expect": "ok"} for name, raw in whole),
        *({"name": name, "raw_hex": raw.hex(), "expect": "frame_malformed"} for name, raw in broken),
    ]
