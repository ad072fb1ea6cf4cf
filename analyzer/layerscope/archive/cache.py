"""What was found out before? A folder of small files, private to the user, bounded in size and age.

An entry is believed only if it says the whole key and its own checksum holds; anything else about the folder (not there, not
writable, damaged, somebody else's) means that nothing is remembered, and is never an error.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from xxhash import xxh3_128, xxh3_128_digest, xxh3_128_hexdigest

from layerscope.frozen import frozen

MAGIC = b"layerscope cache 2\n"
HEAD = len(MAGIC) + 16  # and the checksum of what follows: the key's length in 4 bytes, the key, the value
LARGEST = 1 << 30
OLDEST = 30 * 24 * 3600
SUFFIX = ".entry"


@frozen
class Usage:
    """How much the cache holds, and where."""

    folder: str
    entries: int
    bytes: int


def default_folder() -> Path | None:
    """Return `$LAYERSCOPE_CACHE_DIR`, else the platform's place for caches: `~/.cache/layerscope` on Linux."""
    if ours := os.environ.get("LAYERSCOPE_CACHE_DIR"):
        return Path(ours)
    told = os.environ.get("XDG_CACHE_HOME")
    if told and Path(told).is_absolute():
        return Path(told) / "layerscope"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) / "layerscope" / "Cache" if local else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches/layerscope" if sys.platform == "darwin" else ".cache/layerscope")


class Cache:
    """A store of bytes by key; several processes may use it at once: entries appear whole or not at all."""

    def __init__(self, folder: Path | None, *, largest: int = LARGEST, oldest: float = OLDEST) -> None:
        self.folder = folder
        self.largest = largest
        self.oldest = oldest

    def get(self, key: bytes) -> bytes | None:
        """Return what was put under a key, None if it is not there, too old or damaged."""
        path = self._path(key)
        if path is None or not self._trusted():
            return None
        try:
            if time.time() - path.stat().st_mtime > self.oldest:
                return None
            raw = path.read_bytes()
        except OSError:
            return None
        if raw[:HEAD] != MAGIC + xxh3_128_digest(memoryview(raw)[HEAD:]):
            with suppress(OSError):
                path.unlink()
            return None
        start = HEAD + 4 + int.from_bytes(raw[HEAD : HEAD + 4], "little")
        if raw[HEAD + 4 : start] != key:
            return None
        with suppress(OSError):
            os.utime(path)  # used now: the least recently used goes first
        return raw[start:]

    def put(self, key: bytes, data: bytes) -> None:
        """Remember bytes under a key, if that can be done."""
        path = self._path(key)
        if path is None or len(data) > self.largest // 4:
            return
        beside = path.with_name(f"{path.stem}.{os.urandom(8).hex()}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._trusted():
                return
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                named = len(key).to_bytes(4, "little") + key
                checksum = xxh3_128(named)
                checksum.update(data)
                stream.write(MAGIC + checksum.digest() + named)
                stream.write(data)
            beside.replace(path)
        except BaseException as error:  # also an interrupt: nothing half written stays
            with suppress(OSError):
                beside.unlink()
            if not isinstance(error, OSError):
                raise
            return
        self._shrink()

    def usage(self) -> Usage:
        """Return how much is remembered."""
        sizes = [status.st_size for _, status in self._entries()]
        return Usage(str(self.folder or ""), len(sizes), sum(sizes))

    def clear(self) -> Usage:
        """Forget everything, and return how much that was."""
        before = self.usage()
        for path, _ in self._entries():
            with suppress(OSError):
                path.unlink()
        return before

    def _path(self, key: bytes) -> Path | None:
        return None if self.folder is None else self.folder / (xxh3_128_hexdigest(key) + SUFFIX)

    def _trusted(self) -> bool:
        """Whether the folder is ours and nobody else can write to it."""
        if self.folder is None:
            return False
        try:
            status = self.folder.stat(follow_symlinks=False)
        except OSError:
            return False
        if not hasattr(os, "getuid"):
            return True
        return status.st_uid == os.getuid() and not status.st_mode & 0o022

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        if self.folder is None:
            return
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                if entry.name.endswith((SUFFIX, ".part")) and entry.is_file(follow_symlinks=False):
                    with suppress(OSError):
                        yield Path(entry.path), entry.stat(follow_symlinks=False)

    def _shrink(self) -> None:
        """Let the oldest go until the rest fits; also what a run that was killed left half written."""
        now = time.time()
        found = sorted(self._entries(), key=lambda item: item[1].st_mtime, reverse=True)
        total = 0
        for path, status in found:
            total += status.st_size
            stale = path.suffix == ".part" and now - status.st_mtime > 3600
            if total > self.largest or now - status.st_mtime > self.oldest or stale:
                with suppress(OSError):
                    path.unlink()
