"""How is it told what the cache holds?"""

from __future__ import annotations

from layerscope.archive.cache import Usage
from layerscope.render.document import write_json
from layerscope.render.escape import terminal
from layerscope.render.words import say_size

DAY = 24 * 3600


def usage_text(usage: Usage, largest: int, oldest: int) -> str:
    """Return folder, entries and bytes, and what the cache may grow to."""
    if not usage.folder:
        return "no cache: there is no home folder\n"
    return (
        f"{terminal(usage.folder)}\n"
        f"{usage.entries:,} entries, {say_size(usage.bytes)}; at most {say_size(largest)}, "
        f"unused ones for at most {oldest // DAY} days\n"
    )


def usage_json(usage: Usage, largest: int, oldest: int) -> str:
    """Return the same for programs."""
    return write_json(
        {
            "folder": usage.folder or None,
            "entries": usage.entries,
            "bytes": usage.bytes,
            "largest_bytes": largest,
            "oldest_seconds": oldest,
        }
    )


def cleared_text(before: Usage) -> str:
    """Return how much was forgotten."""
    return f"forgot {before.entries:,} entries, {say_size(before.bytes)}\n"
