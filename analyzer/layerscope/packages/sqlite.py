"""What does a hostile SQLite database answer?

It is opened in memory, read only; nothing in it may run but the one query, and that not for long.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

MAGIC = b"SQLite format 3\0"
MAX_ROWS = 200_000
MAX_VALUE = 64 << 20
"""Bytes of one value."""

_STEP = 10_000
_MAX_STEPS = 20_000
"""Calls of the progress handler, one each `_STEP` instructions; a database of 2,000 packages takes two."""

_WAL_MAGIC = frozenset({0x377F0682, 0x377F0683})


def query(content: bytes, statement: str, log: bytes = b"") -> list[tuple[object, ...]]:
    """Return the rows of one SELECT; `log` is the database's `-wal` file. Raises ValueError."""
    import sqlite3

    if content[:16] != MAGIC:
        raise ValueError("no SQLite database")
    image = _apply(content, log)
    # In memory no write-ahead log is possible: say that the database does without one.
    image[18:20] = b"\1\1"
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(bytes(image))
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        connection.text_factory = bytes
        connection.set_progress_handler(_Patience().spend, _STEP)
        connection.set_authorizer(_allow)
        return _fetch(connection, statement)
    except (sqlite3.Error, sqlite3.Warning, OverflowError, MemoryError, SystemError) as error:
        raise ValueError(f"SQLite: {error}") from error
    finally:
        connection.close()


def _fetch(connection: sqlite3.Connection, statement: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    size = 0
    for row in connection.execute(statement):
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if len(rows) == MAX_ROWS or size > 4 * MAX_VALUE:
            break
        rows.append(row)
    return rows


class _Patience:
    """A count of instructions that ends in an interruption; no clock, so that a result depends on the bytes alone."""

    def __init__(self) -> None:
        self._left = _MAX_STEPS

    def spend(self) -> int:
        """Return whether it is over."""
        self._left -= 1
        return self._left < 0


def _allow(action: int, *_: str | None) -> int:
    """Let a statement read tables; neither functions nor recursion, of which a view could be made."""
    import sqlite3

    return sqlite3.SQLITE_OK if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ} else sqlite3.SQLITE_DENY


def _apply(content: bytes, log: bytes) -> bytearray:
    """Return a database with what its write-ahead log holds up to the last commit (sqlite.org/fileformat2.html)."""
    image = bytearray(content)
    if len(log) < 32 or struct.unpack_from(">I", log)[0] not in _WAL_MAGIC:
        return image
    size: int = struct.unpack_from(">I", log, 8)[0]
    salts = log[16:24]
    if size < 512 or size > 65536 or size & (size - 1):
        return image
    pages: dict[int, int] = {}
    done: dict[int, int] = {}
    last = 0
    for at in range(32, len(log) - size - 23, size + 24):
        page, commit = struct.unpack_from(">II", log, at)
        if log[at + 8 : at + 16] != salts:
            break
        pages[page] = at + 24
        if commit:
            done.update(pages)
            pages.clear()
            last = commit
    if not last or last * size > len(content) + len(log):
        return image
    image = image[: last * size].ljust(last * size, b"\0")
    for page, at in done.items():
        if 1 <= page <= last:
            image[(page - 1) * size : page * size] = log[at : at + size]
    return image
