"""What do extension headers carry: PAX records, long names, extended attributes?"""

from __future__ import annotations

from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.tar import differences
from layerscope.archive.tar.header import BLOCK, HeaderError
from layerscope.archive.tar.pax import LIBARCHIVE, SCHILY, pax_records, xattrs
from layerscope.errors import LimitError

Attributes = tuple[tuple[bytes, bytes], ...]


def read_extension(feed: Feed, size: int, read: int, limits: Limits) -> bytes:
    """Return the data of an extension header, when `read` bytes of others were read; the feed is moved behind their padding."""
    if size > limits.special_bytes:
        raise LimitError(f"an extension header of {size:,} bytes", limit="special_bytes", id="E13")
    if read + size > limits.extension_bytes:
        raise LimitError("more bytes of extension headers than may be read", limit="extension_bytes", id="E13")
    data = b"".join(feed.pieces(size))
    if len(data) < size:
        raise HeaderError("an extension header is cut", id="C55")
    feed.skip(-size & 511)
    return data


def read_records(notes: Notebook, data: bytes, start: int) -> dict[bytes, bytes]:
    """Return the records of a PAX header that stands at `start`."""
    differences.tell_text(notes, data, start)
    try:
        return pax_records(data)
    except HeaderError as error:
        error.offset = start + BLOCK + (error.offset or 0)
        raise


def read_attributes(notes: Notebook, path: bytes, records: dict[bytes, bytes], start: int) -> Attributes | None:
    """Return the extended attributes among an entry's records, if there are any; notes tell those that overlayfs obeys."""
    if not any(key.startswith((SCHILY, LIBARCHIVE)) for key in records):
        return None
    found = xattrs(records)
    for name, _ in found:
        if name.startswith(b"trusted.overlay."):
            message = f"sets {name.decode('latin-1')}, which the kernel's overlayfs obeys"
            notes.warn("C24", message, path=path, offset=start)
    return found
