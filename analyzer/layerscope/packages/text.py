"""What does a field of a database say, as text that can be printed and encoded?"""

from __future__ import annotations

import json
from typing import Any

MAX_TEXT = 1000
"""Characters of one field: names, versions and licences are short, hostile ones are cut."""


LARGE = 1 << 20
MAX_VALUES = 4_000_000
"""Values of one JSON file: each takes some hundred bytes of memory, however short; 64 MiB of a lock file have about half."""


class TooManyValuesError(ValueError):
    """A JSON file would take gigabytes of memory."""


def load_json(content: bytes) -> Any:
    """Parse a JSON file; one that would take gigabytes of memory, or is damaged, is a ValueError."""
    if len(content) > LARGE and sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise TooManyValuesError
    return json.loads(content)


def text(value: object) -> str:
    """Return bytes or a JSON string as clean text; anything else is no text."""
    if isinstance(value, bytes):
        return value[: 4 * MAX_TEXT].decode("utf-8", "replace").strip()[:MAX_TEXT]
    if isinstance(value, str):
        # JSON can hold lone surrogates, which no output can encode.
        return value.strip()[:MAX_TEXT].encode("utf-8", "replace").decode()
    return ""
