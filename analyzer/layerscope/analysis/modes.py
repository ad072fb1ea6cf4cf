"""Which files give rights away: by their mode, their capabilities, or by being a device?"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.columns import among, where
from layerscope.model import Kind, LayerIndex, both, only
from layerscope.regex import regex
from layerscope.rootfs.paths import parent_of
from layerscope.rootfs.stack import DIRECTORY, FILE

DEVICES = {int(Kind.CHARACTER): "character", int(Kind.BLOCK): "block"}
_ONLY_DEVICES = only(*DEVICES)
_SET = regex(rb"[^\0]")
SYSTEM_FOLDERS = frozenset(b"bin sbin usr/bin usr/sbin".split())
CAPABILITY = b"security.capability"
_CAPABILITIES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
    "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin "
    "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override "
    "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
)
CAPABILITIES = tuple(_CAPABILITIES.split(" "))
_SETUID = ("setuid-file", "runs as its owner")
_SETGID = ("setgid-file", "runs as its group")


class Since:
    """In which layer did a path get its bits? Kept while layers go by, base first."""

    def __init__(self) -> None:
        self._layers: dict[bytes, int] = {}

    def mark(self, path: bytes, position: int) -> int:
        """Return the layer in which the path got them, this one if it had none before."""
        return self._layers.setdefault(path, position)

    def clear(self, path: bytes) -> None:
        """Forget a path that was put again without them, or taken away."""
        self._layers.pop(path, None)

    def folders(self) -> set[bytes]:
        """Return where the paths lie that have bits."""
        return set(map(parent_of, self._layers))


def find_modes(index: LayerIndex, position: int, ground: Ground, since: Since) -> Iterator[Exposure]:
    """Return what one layer's modes, capabilities and devices tell."""
    start = ground.stack.starts[position]
    xattrs = index.xattrs
    for row in _rows_of_note(index, since):
        path, kind, mode = index.paths[row], index.kinds[row], index.modes[row]
        if kind == FILE:
            if mode & 0o6000:
                yield _setuid(path, mode, start + row, position, ground, since)
            else:
                since.clear(path)
            if mode & 0o2 and ground.shows(start + row, path):
                yield Exposure(
                    "world-writable-file", "warning", "anybody in the container can change it", path, position, "visible",
                    package=ground.owner(start + row), detail=f"mode {mode:04o}",
                )  # fmt: skip
            if mode & 0o111 and ground.managed and index.folders[row] in SYSTEM_FOLDERS and ground.owner(start + row) is None:
                state, hidden = ground.state(start + row)
                if state == "visible":
                    yield Exposure(
                        "unowned-executable", "info", "a program in a system folder that no package brought", path, position,
                        state, hidden, detail=f"mode {mode:04o}",
                    )  # fmt: skip
        elif kind == DIRECTORY:
            if mode & 0o1002 == 0o2 and ground.shows(start + row, path):
                yield Exposure(
                    "world-writable-folder", "warning", "anybody in the container can put, rename and delete files in it", path,
                    position, "visible", package=ground.owner(start + row), detail=f"mode {mode:04o}, no sticky bit",
                )  # fmt: skip
        else:
            since.clear(path)
            if kind in DEVICES:
                state, hidden = ground.state(start + row)
                title = f"a {DEVICES[kind]} device"
                yield Exposure("device-file", "warning", title, path, position, state, hidden, detail=f"mode {mode:04o}")
    for row, pairs in xattrs.items():
        for name, value in pairs:
            if name == CAPABILITY:
                yield _capability(index.paths[row], value, start + row, position, ground)


def _rows_of_note(index: LayerIndex, since: Since) -> list[int]:
    """Return the rows that may tell something: by their mode or kind, by their folder, or by what was found there before."""
    folders = index.folders
    found = _rows_with(index.modes, 0o6002)
    busy = SYSTEM_FOLDERS | since.folders() | {folders[row] for row in found if index.modes[row] & 0o6000}
    found.update(where(among(folders, busy)))
    if any(kind in index.kinds for kind in DEVICES):
        found.update(where(index.kinds.translate(_ONLY_DEVICES)))
    return sorted(found)


def _rows_with(modes: array[int], bits: int) -> set[int]:
    """Return the rows whose mode has any of these bits."""
    every = array(modes.typecode, [bits]) * len(modes)
    return {found.start() // modes.itemsize for found in _SET.finditer(both(modes.tobytes(), every.tobytes()))}


def _setuid(path: bytes, mode: int, row: int, position: int, ground: Ground, since: Since) -> Exposure:
    id_, title = _SETUID if mode & 0o4000 else _SETGID
    first, package, (state, hidden) = since.mark(path, position), ground.owner(row), ground.state(row)
    since_words = f", so since layer {first}" if first != position else ""
    foreign = state == "visible" and package is None and ground.managed
    detail = f"mode {mode:04o}{since_words}{'; no package brought it' if foreign else ''}"
    return Exposure(id_, "warning" if foreign else "info", title, path, position, state, hidden, package, detail)


def _capability(path: bytes, value: bytes, row: int, position: int, ground: Ground) -> Exposure:
    state, hidden = ground.state(row)
    package = ground.owner(row)
    foreign = state == "visible" and package is None and ground.managed
    return Exposure(
        "file-capability", "warning" if foreign else "info", "runs with capabilities", path, position, state, hidden, package,
        say_capabilities(value),
    )  # fmt: skip


def say_capabilities(value: bytes) -> str:
    """Return what a `security.capability` attribute gives: `cap_net_raw=ep`, as getcap writes it (linux/capability.h)."""
    revision = value[3] if len(value) >= 4 else 0
    if (revision, len(value)) not in ((1, 12), (2, 20), (3, 24)):
        return f"{len(value)} bytes that are no capability set"
    permitted = int.from_bytes(value[4:8], "little")
    inheritable = int.from_bytes(value[8:12], "little")
    if revision > 1:
        permitted |= int.from_bytes(value[12:16], "little") << 32
        inheritable |= int.from_bytes(value[16:20], "little") << 32
    effective = "e" if value[0] & 1 else ""
    groups: dict[str, list[str]] = {}
    for bit in range(64):
        flags = ("i" if inheritable >> bit & 1 else "") + ("p" if permitted >> bit & 1 else "")
        if flags:
            name = CAPABILITIES[bit] if bit < len(CAPABILITIES) else str(bit)
            groups.setdefault(f"{effective}{flags}", []).append(f"cap_{name}")
    root = f" [rootid={int.from_bytes(value[20:24], 'little')}]" if revision == 3 else ""
    return (" ".join(f"{','.join(names)}={flags}" for flags, names in groups.items()) or "=") + root
