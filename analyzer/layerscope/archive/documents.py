"""What does a JSON document of an image say? Read as hostile text: capped, strict, every value checked for its type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError

Json = dict[str, Any]
DIGITS = 4300  # Python reads no longer integers
LARGE = 1 << 20
EACH = 16  # bytes for a value on the average, at least: one takes some hundred bytes of memory, however short it is


def parse(data: bytes, what: str, limits: Limits, notes: Notebook) -> Any:
    """Return the document's value.

    NaN, Infinity, nesting past the limit, trailing data and what is not UTF-8 are an ArchiveError (E06); a key that stands
    twice is a note, and the last one holds, as in Go's encoding/json.
    """
    if len(data) > limits.json_bytes:
        raise ArchiveError(f"{what} has {len(data):,} bytes (--limit json_bytes=VALUE raises the limit)", id="E08")
    if len(data) > LARGE and sum(map(data.count, (b",", b"[", b"{"))) > limits.json_bytes // EACH:
        raise ArchiveError(f"{what} has millions of values (--limit json_bytes=VALUE raises the limit)", id="E08")
    doubled: set[str] = set()

    def pairs(items: list[tuple[str, Any]]) -> Json:
        result = dict(items)
        if len(result) != len(items):
            seen: set[str] = set()
            doubled.update(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return result

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    def number(digits: str) -> int:
        if len(digits) > DIGITS:
            raise ValueError(f"a number of {len(digits):,} digits")
        return int(digits)

    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=pairs, parse_constant=constant, parse_int=number)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        if isinstance(error, UnicodeDecodeError):
            reason = f"not UTF-8, at byte {error.start:,}"
        raise ArchiveError(f"{what} is not valid JSON: {reason}", id="E06") from error
    if _depth_exceeds(value, limits.json_depth):
        raise ArchiveError(f"{what} is nested too deep (--limit json_depth=VALUE raises the limit)", id="E06")
    for key in sorted(doubled)[:5]:
        notes.warn("E06", f"{what} has the key {text(key)!r} twice; the last one holds, readers disagree")
    return value


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(child for child in item.values() if isinstance(child, (dict, list)))
            elif isinstance(item, list):
                below.extend(child for child in item if isinstance(child, (dict, list)))
        if not below:
            return False
        level = below
    return True


def field(document: Json, key: str, what: str, notes: Notebook) -> Any:
    """Return `document[key]`, else the value under the same key in other case, as Go's encoding/json does (E07)."""
    spelled = [other for other in document if other != key and len(other) == len(key) and other.lower() == key.lower()]
    if key in document:
        for other in spelled[:1]:
            notes.warn("E07", f"{what} has {key!r} and {text(other)!r}, which some readers take for the same; {key!r} holds")
        return document[key]
    for other in spelled[:1]:
        notes.info("E07", f"{what} writes {key!r} as {text(other)!r}; some readers do not see it")
        return document[other]
    return None


def cased(document: Json, keys: tuple[str, ...], what: str, notes: Notebook) -> Json:
    """Return a document that has what stands under keys in other case under these as well (E07)."""
    return {**document, **{key: value for key in keys if (value := field(document, key, what, notes)) is not None}}


def text(value: object) -> str | None:
    """Return a string without lone surrogates, None if the value is no string."""
    if not isinstance(value, str):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return value


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list; a string alone counts as one."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return ()
    return tuple(item for item in map(text, value) if item is not None)


def integer(value: object) -> int | None:
    """Return a size: a non-negative integer of at most 63 bits, else None (E05)."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        return None
    return value


def mapping(value: object) -> Json:
    """Return the value if it is an object, else an empty one (B08)."""
    return value if isinstance(value, dict) else {}


def string_map(value: object) -> Mapping[str, str]:
    """Return the entries of an object whose values are strings."""
    return {
        name: string
        for key, item in mapping(value).items()
        if (string := text(item)) is not None and (name := text(key)) is not None
    }


def rows(value: object, what: str, notes: Notebook) -> list[Any]:
    """Return a list, whatever is in it: a row that is dropped would shift the others. What is no list is an error."""
    if value is None or isinstance(value, list):
        return value or []
    notes.fail("A33", f"{what} is no list")
    return []


def objects(value: object) -> Iterator[Json]:
    """Yield the objects of a list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
