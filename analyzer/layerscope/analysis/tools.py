"""Which programs help whoever breaks in: shells, package managers, sudo?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.analysis.exposure import Exposure, Ground

TOOLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "shell": ("a shell", ("sh", "bash", "dash", "ash", "zsh")),
    "package-manager": (
        "a package manager",
        ("apt", "apt-get", "dpkg", "apk", "yum", "dnf", "microdnf", "rpm", "zypper", "pip", "pip3", "npm", "yarn", "gem"),
    ),
    "sudo": ("a program that gives root away", ("sudo", "doas", "su-exec")),
}
FOLDERS = ("usr/bin", "bin", "usr/sbin", "sbin", "usr/local/bin")


def find_tools(ground: Ground) -> Iterator[Exposure]:
    """Return where a container sees them, each name once."""
    visible = ground.stack.visible
    for id_, (title, names) in TOOLS.items():
        for name in names:
            path = next((path for folder in FOLDERS if (path := f"{folder}/{name}".encode()) in visible), None)
            if path is not None:
                row = visible[path]
                position = ground.stack.position_of(row)
                yield Exposure(id_, "info", title, path, position, "visible", package=ground.owner(row))
