"""Where else do some distributions have a database than where its program looks for it?

An image whose `/var` is to be empty (bootc, OSTree) has it below `/usr`; a symlink leads there, which may be made at the first
boot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

HOMES = {
    "usr/lib/sysimage/dpkg/": "var/lib/dpkg/",  # Debian and Ubuntu for bootc
    "usr/share/dpkg/database/": "var/lib/dpkg/",  # Endless OS, and what apt2ostree makes
    "usr/lib/sysimage/lib/pacman/": "var/lib/pacman/",  # Arch for bootc
    "usr/lib/holo/pacmandb/": "var/lib/pacman/",  # SteamOS
}
"""A folder -> that of which it takes the place."""


def at_home(patterns: Iterable[str]) -> Iterator[str]:
    """Yield what patterns are in the folders that take the place of theirs; but those of distroless images, which have none."""
    for pattern in patterns:
        for home, usual in HOMES.items():
            if pattern.startswith(usual) and pattern[-1] != "*":
                yield home + pattern.removeprefix(usual)
