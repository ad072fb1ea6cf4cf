"""Is a name with `.wh.` in it a mark, and of what? (OCI image-spec, layer.md, "Whiteouts")"""

from __future__ import annotations

from layerscope.archive.notebook import Notebook
from layerscope.model import Kind

FILE, HARDLINK, WHITEOUT, OPAQUE, OTHER = (
    int(kind) for kind in (Kind.FILE, Kind.HARDLINK, Kind.WHITEOUT, Kind.OPAQUE, Kind.OTHER)
)


def read_mark(notes: Notebook, kind: int, path: bytes, start: int, *, empty: bool) -> tuple[int, bytes]:
    """Return kind and path of an entry; of a mark the path that it speaks of. The name decides, whatever the type (C09)."""
    parent, slash, base = path.rpartition(b"/")
    if base == b".wh..wh..opq":
        mark, target = OPAQUE, parent
    elif path.startswith(b".wh..wh."):
        notes.info("C10", "AUFS metadata at the root, which no container sees", path=path, offset=start)
        return (kind if kind in (FILE, HARDLINK) else OTHER), path
    elif not base.startswith(b".wh."):
        return kind, path
    elif base in (b".wh.", b".wh..", b".wh..."):
        notes.warn("C07", "a whiteout that names nothing is passed over", path=path, offset=start)
        return OTHER, path
    else:
        mark, target = WHITEOUT, parent + slash + base[4:]
    if kind != FILE or not empty:
        notes.warn("C09", "a whiteout that is more than an empty file", path=path, offset=start)
    return mark, target
