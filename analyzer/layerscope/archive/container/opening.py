"""Which kind of container is the input?"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from layerscope.archive.compression.members import detect
from layerscope.archive.container.advice import advise
from layerscope.archive.container.base import Container
from layerscope.archive.container.folder import Folder
from layerscope.archive.container.inplace import TarFile
from layerscope.archive.container.passing import PassingTar, read_chunks
from layerscope.archive.openfile import READ_ONLY, OpenFile, stamp_of
from layerscope.archive.scan import Settings
from layerscope.archive.tar.header import BLOCK
from layerscope.errors import ArchiveError


def open_container(source: str, settings: Settings, stdin: BinaryIO | None = None) -> Container:
    """Open an archive, a folder or, for "-", standard input.

    A missing file is a FileNotFoundError; what is no archive is an ArchiveError that names it.
    """
    if source == "-":
        return PassingTar("-", read_chunks(stdin or sys.stdin.buffer), settings)
    if not source:  # which would mean the working folder
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "''")
    path = Path(source)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, f"{error.strerror}{advise(source)}", source) from None
    if stat.S_ISDIR(status.st_mode):
        return Folder(source, path, settings)
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) or stat.S_ISSOCK(status.st_mode):
        raise ArchiveError(f"{source} is a device, not an image", id="E31")
    if not stat.S_ISREG(status.st_mode):
        with path.open("rb") as stream:
            return PassingTar(source, read_chunks(stream), settings)
    if status.st_size == 0:
        raise ArchiveError(f"{source} is empty: 0 bytes", id="A36")
    with path.open("rb") as stream:
        stamp = stamp_of(os.fstat(stream.fileno()))
        if detect(stream.read(BLOCK)) != "none":
            stream.seek(0)
            return PassingTar(source, read_chunks(stream), settings, stamp)
    file = OpenFile(lambda: os.open(path, READ_ONLY))
    try:
        return TarFile(source, file, settings)
    except BaseException:
        file.close()
        raise
