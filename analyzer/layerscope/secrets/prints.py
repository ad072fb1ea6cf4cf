"""How are equal secrets told from different ones, when neither may be shown?"""

from __future__ import annotations

from hashlib import blake2b

_KEY = b"layerscope: tell equal secrets, never the secret"


def print_of(value: bytes) -> str:
    """Return what tells equal secrets from different ones: too short to find a secret by, and shown nowhere."""
    return blake2b(value, digest_size=4, key=_KEY).hexdigest()
