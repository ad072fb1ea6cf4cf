"""What is meant by a name that no file has?"""

from __future__ import annotations

import re
from pathlib import Path

from layerscope.regex import regex

_FILES = ("docker-archive", "oci-archive", "oci", "dir")
_ELSEWHERE = ("docker", "docker-daemon", "containers-storage", "registry", "ostree")
_SHOWN = regex(r"[\w.:/@\[\]+-]+", re.ASCII)
_REFERENCE = regex(r"(?:[a-z0-9][a-z0-9.-]*(?::\d+)?/)?[a-z0-9][a-z0-9._/-]*(?::\w[\w.-]*)?(?:@sha256:[0-9a-f]+)?", re.ASCII)


def advise(source: str) -> str:
    """Return what to do where no file is named but an image of an engine, or a file as skopeo names it; else nothing."""
    kind, colon, _ = source.partition(":")
    if colon and kind in _FILES:
        return f"; it is named without '{kind}:'"
    if colon and kind in ("http", "https"):
        return "; nothing but files is read: download it first"
    if colon and kind in _ELSEWHERE:
        return f"; nothing but files is read: skopeo copy {source} docker-archive:image.tar" if _SHOWN.fullmatch(source) else ""
    if _REFERENCE.fullmatch(source) and (":" in source or not Path(source).suffix):
        return f"; nothing but files is read: docker save --output image.tar {source}"
    return ""
