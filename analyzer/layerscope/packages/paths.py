"""Which file does a relative path in a database mean, and which folders are everybody's?"""

from __future__ import annotations

SHARED = frozenset(
    b"|bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|usr/bin|usr/lib|usr/local|usr/local/bin"
    b"|usr/local/lib|usr/local/share|usr/share|usr/src|var/lib|var/www".split(b"|")
)
"""Folders, the root among them, that no single application owns."""


MAX_DEPTH = 128
"""Components of a folder that are looked at; the work on a path stays in proportion to its length."""


_ROUGH = frozenset((b"", b"/", b"."))


def parent(path: bytes) -> bytes:
    """Return the folder of a path, `b""` for one at the root."""
    return path.rpartition(b"/")[0]


def shallow(folder: bytes) -> bytes:
    """Return a folder, or of one that is absurdly deep the one above it at `MAX_DEPTH`."""
    return folder if folder.count(b"/") < MAX_DEPTH else b"/".join(folder.split(b"/", MAX_DEPTH)[:MAX_DEPTH])


def join(folder: bytes, path: bytes) -> bytes:
    """Return `path`, as seen from `folder`, normalised; an absolute one starts at the root, and `..` ends there."""
    if path[:1] not in _ROUGH and path.find(b"//") < 0 and path.find(b"/.") < 0:  # `in` on bytes is slow
        return folder + b"/" + path if folder else path
    parts = [] if path.startswith(b"/") or not folder else folder.split(b"/")
    for part in path.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in {b"", b"."}:
            parts.append(part)
    return b"/".join(parts)
