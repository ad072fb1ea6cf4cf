"""Could a folder hold an image? Looked at from above, so that the whole of /usr is not listed before it is refused."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress

TOPS = frozenset((b"manifest.json", b"index.json", b"repositories"))
REGISTRY = b"docker/registry/v2"
BLOBS = b"v2/blobs"
LEGACY = frozenset((b"json", b"layer.tar"))
ON_THE_WAY = frozenset((b"docker", b"registry", b"v2"))
LISTED = 1_000


def may_hold_image(root: bytes) -> bool:
    """Whether the top of a folder tells of an image, or one of the first folders below it is a registry's or an old layer's.

    What lies on the way to a registry's storage is looked at first, then the folders level by level, `LISTED` of them at most.
    """
    waiting = deque([b""])
    for _ in range(LISTED):
        if not waiting:
            break
        inside = waiting.popleft()
        names: set[bytes] = set()
        folders: list[bytes] = []
        with suppress(OSError), os.scandir(os.path.join(root, inside)) as listing:
            for entry in listing:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                else:
                    names.add(entry.name)
        if names >= LEGACY or (not inside and names & TOPS):
            return True
        for name in sorted(folders):
            path = os.path.join(inside, name)
            if path == BLOBS or path.endswith(REGISTRY):
                return True
            if name in ON_THE_WAY:
                waiting.appendleft(path)
            else:
                waiting.append(path)
    return False
