"""Which blobs lie in an uncompressed outer tar? They are read where they lie."""

from __future__ import annotations

from layerscope.archive.container.base import Container, Member, is_rootlike
from layerscope.archive.container.cut import cut_row, drop_cut
from layerscope.archive.equal import Place
from layerscope.archive.feed import Buffer, Feed
from layerscope.archive.openfile import OpenFile, stamp_at
from layerscope.archive.scan import Scan, Settings, algorithm_of, look_into, scan_place
from layerscope.archive.tar.reader import read_tar
from layerscope.errors import LimitError


class TarFile(Container):
    """An uncompressed outer tar: layers are read where they lie."""

    def __init__(self, source: str, buffer: OpenFile, settings: Settings) -> None:
        super().__init__(source, settings)
        self.buffer = buffer
        self.file_bytes = self.archive_bytes = len(buffer)
        if len(buffer) > settings.limits.archive_bytes:
            raise LimitError(f"{source} has {len(buffer):,} bytes", limit="archive_bytes")
        feed = Feed.over(buffer, 0, len(buffer))
        self.index = read_tar(feed, limits=settings.limits, whiteouts=False, partial=True)
        self.notes.extend(self.index.notes)
        self.cut = cut_row(self.index)
        for row in range(len(self.index)):
            self._add_row(self.index, row)

    def _place(self, member: Member) -> int:
        return self.index.offsets[member.ident]

    def _bytes(self, member: Member) -> bytes:
        start = self._place(member)
        return self.buffer[start : start + member.size]

    def scan(self, member: Member) -> Scan:
        """Return what the member holds as a layer."""
        self._refuse_sparse(member)
        found = scan_place(self.buffer, self._place(member), member.size, self._within(), algorithm_of(member.name))
        return self._took(found)

    def rootfs(self) -> Scan:
        """Return the tar itself as one layer; no layer lies below it, and `.wh.` names are files like others."""
        feed = Feed.over(self.buffer, 0, len(self.buffer))
        settings, rows = self.settings, list[int]()
        index = read_tar(
            feed,
            limits=settings.limits,
            keep=settings.keep,
            whiteouts=False,
            partial=True,
            inspectors=settings.inspectors,
            shown=rows,
        )
        drop_cut(index)
        there = [row for row in rows if row < len(index)]
        return Scan(look_into(index, there, Place(index, self.buffer, 0), settings), "none", index.tar_bytes)

    def rootlike(self) -> bool:
        """Whether the tar has folders of a root file system."""
        return not self.entered and is_rootlike(self.index)

    def place(self, member: Member | None) -> tuple[Buffer, int] | None:
        """Return where a member lies in the file."""
        return self.buffer, 0 if member is None else self._place(member)

    def changed(self) -> bool:
        """Whether the file is another one now."""
        return self.buffer.short or stamp_at(self.source) != self.buffer.stamp

    def close(self) -> None:
        """Close the file."""
        self.buffer.close()
