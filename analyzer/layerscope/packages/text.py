"""What does a field of a database say, as text that can be printed and encoded?"""

from __future__ import annotations

MAX_TEXT = 1000
"""Characters of one field: names, versions and licences are short, hostile ones are cut."""


def text(value: object) -> str:
    """Return bytes or a JSON string as clean text; anything else is no text."""
    if isinstance(value, bytes):
        return value[: 4 * MAX_TEXT].decode("utf-8", "replace").strip()[:MAX_TEXT]
    if isinstance(value, str):
        # JSON can hold lone surrogates, which no output can encode.
        return value.strip()[:MAX_TEXT].encode("utf-8", "replace").decode()
    return ""
