"""Can a token be real? Checksums and structures that its issuer puts into it."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, urlsafe_b64decode

_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number: int, width: int) -> bytes:
    """Return a number in base 62, filled up with zeros."""
    digits = bytearray()
    while number:
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return bytes(reversed(digits)).rjust(width, b"0")


def has_crc(found: re.Match[bytes]) -> bool:
    """Whether the last six letters are the CRC-32 of those before them, as GitHub and npm write their tokens."""
    token = found[0].partition(b"_")[2]
    return base62(binascii.crc32(token[:-6]), 6) == token[-6:]


def is_jwt(found: re.Match[bytes]) -> bool:
    """Whether the first two parts are JSON objects, and the first names a signing algorithm."""
    head, body, _ = found[0].split(b".", 2)
    header, claims = _json_part(head), _json_part(body)
    return isinstance(header, dict) and isinstance(claims, dict) and header.get("alg") not in (None, "none")


def holds_key(found: re.Match[bytes]) -> bool:
    """Whether a PEM body is a key that is not encrypted: DER, or OpenSSH's own form with the cipher `none`."""
    data = decode_body(found["body"])
    if data is None or b"ENCRYPTED" in found[0][:40]:
        return False
    return data.startswith(b"openssh-key-v1\x00\x00\x00\x00\x04none") or (data[:1] == b"\x30" and len(data) > 40)


def decode_body(body: bytes) -> bytes | None:
    r"""Return what a PEM body encodes, also where line breaks are written as `\n` in JSON; None if nothing does."""
    body = re.sub(rb"\\[nr]|\s", b"", body)
    if b"Proc-Type" in body or len(body) < 40:
        return None
    try:
        return b64decode(body + b"=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_basic_auth(found: re.Match[bytes]) -> bool:
    """Whether base64 holds `user:password` in plain text."""
    try:
        user, colon, password = b64decode(found["secret"], validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    return bool(colon and user and password and user.isascii())


def has_partner(found: re.Match[bytes]) -> bool:
    """Whether a secret key of forty letters stands within a few lines of an AWS access key id."""
    near = found.string[max(0, found.start() - 300) : found.end() + 300]
    return (
        re.search(rb"(?<![A-Za-z0-9/+=])(?=[^\s]{0,40}[a-z])(?=[^\s]{0,40}[A-Z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])", near)
        is not None
    )


def is_service_account(found: re.Match[bytes]) -> bool:
    """Whether a Google account file has its private key beside its type."""
    near = found.string[max(0, found.start() - 4096) : found.end() + 4096]
    return b'"private_key"' in near and b"PRIVATE KEY-----" in near


def _json_part(part: bytes) -> object:
    try:
        return json.loads(urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
