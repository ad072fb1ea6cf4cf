"""How is a text file read that somebody named?"""

from __future__ import annotations

import os

from layerscope.analysis.dockerfile import DockerfileError, Source, read_stages
from layerscope.errors import LayerscopeError

_LARGEST = 64 << 20


def read(path: str) -> str:
    """Return a file's text. What cannot be read is wrong usage, never a failed audit nor a broken image."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - text from the command line, surrogates and all
            data = stream.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise LayerscopeError(f"{path}: too large")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise LayerscopeError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise LayerscopeError(f"{path}: not UTF-8, at byte {error.start:,}") from None


def read_dockerfile(path: str | None) -> Source | None:
    """Return the Dockerfile, if one is named; its path as it is from the working directory, which CI takes for the root."""
    if path is None:
        return None
    source = Source(path.replace(os.sep, "/"), read(path))
    try:
        stages = read_stages(source.text)
    except DockerfileError as error:
        raise LayerscopeError(f"{path}: {error}") from None
    if not stages:
        raise LayerscopeError(f"{path}: no Dockerfile, it has no FROM")
    return source
