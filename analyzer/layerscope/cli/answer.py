"""What does a command give back? Texts, where they go, and an exit code; written here and nowhere else."""

from __future__ import annotations

# paths are text from the command line here, surrogates and all; the escapes are imported when something is to be said
# ruff: noqa: PTH101, PTH105, PTH108, PTH113, PTH114, PTH116, PTH118, PTH120, PTH123
import os
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TextIO

from layerscope.frozen import frozen

_BINARY = getattr(os, "O_BINARY", 0)


class OutputError(Exception):
    """A text could not be written; the message says where and why."""


@frozen
class Answer:
    """What a command found.

    text     for standard output, if any
    files    texts by the path of the file that they go to
    appends  texts that are added to the end of a file
    fresh    the same, of files that must not be there yet
    warning  one line for standard error
    code     the exit code
    source   what wrote the texts, and holds what they tell of: it ends with the process, and is not taken apart before
    """

    text: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    warning: str | None = None
    code: int = 0
    fresh: Mapping[str, str] = field(default_factory=dict)
    appends: Mapping[str, str] = field(default_factory=dict)
    source: object = field(default=None, compare=False, repr=False)


def deliver(answer: Answer) -> None:
    """Write files first, each whole or not at all, then standard output, then the warning."""
    for path, text in answer.fresh.items():
        create_file(path, text)
    for path, text in answer.files.items():
        replace_file(path, text)
    for path, text in answer.appends.items():
        append_file(path, text)
    if answer.text is not None:
        _print(answer.text)
    if answer.warning:
        complain(answer.warning)


def prepare_streams() -> None:
    """Make both streams take any text in any locale: UTF-8, and escapes for what is no Unicode."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="")


def complain(message: str) -> None:
    """Write a message to standard error, each of its lines escaped; a closed standard error is no trouble."""
    from layerscope.render.escape import terminal

    text = "".join(f"{terminal(line)}\n" for line in message.split("\n"))
    stream: TextIO | None = sys.stderr
    try:
        if stream is not None:
            stream.write(text)
            stream.flush()
    except (OSError, ValueError):
        silence(stream)


def replace_file(path: str, text: str) -> None:
    """Write a file beside its place and rename it there; what is no regular file (a pipe, a device) is written to."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        place = os.path.realpath(path)
        if os.path.lexists(place) and not os.path.isfile(place):
            with open(place, "wb") as stream:
                stream.write(data)
            return
        _write_beside(place, (data,))
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def create_file(path: str, text: str) -> None:
    """Write a file that is not there yet; one that is there stays as it is."""
    try:
        with open(path, "xb") as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
    except FileExistsError:
        raise OutputError(f"{path}: is there already, and is not overwritten") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def export_file(path: str, pieces: Iterable[bytes], *, force: bool = False) -> None:
    """Write what comes to a file that is not there yet or, if forced, in place of a file or link that is; whole or not at all.

    Nothing is written through a link, and to nothing but a regular file.
    """
    try:
        if force and (os.path.islink(path) or os.path.isfile(path)):
            _write_beside(path, pieces)
            return
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _BINARY, 0o666)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.writelines(pieces)
        except BaseException:
            os.unlink(path)
            raise
    except FileExistsError:
        if os.path.islink(path) or os.path.isfile(path):
            raise OutputError(f"{path}: is there already; --force replaces it") from None
        raise OutputError(f"{path}: is no file") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def show_bytes(pieces: Iterable[bytes], *, raw: bool) -> None:
    """Write what comes to standard output: as it is, or so that a terminal only shows it and obeys nothing."""
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise OutputError("standard output is closed")
    from layerscope.render.escape import page

    decoder = getincrementaldecoder("utf-8")("surrogateescape")
    try:
        for piece in pieces:
            if raw:
                stream.buffer.write(piece)
            else:
                stream.write(page(decoder.decode(piece)))
        if not raw:
            stream.write(page(decoder.decode(b"", final=True)))
        stream.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        silence(stream)
        raise OutputError(f"standard output: cannot write: {getattr(error, 'strerror', None) or error}") from error


def append_file(path: str, text: str) -> None:
    """Add to the end of a file."""
    try:
        with open(path, "ab") as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def silence(stream: TextIO | None) -> None:
    """Point a stream that nobody reads any more at nothing, so that the interpreter can close it in peace."""
    try:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def _write_beside(place: str, pieces: Iterable[bytes]) -> None:
    beside = os.path.join(os.path.dirname(place), f".layerscope-{os.urandom(8).hex()}.tmp")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(pieces)
            if os.path.isfile(place) and not os.path.islink(place):
                os.chmod(beside, os.stat(place).st_mode & 0o777)
        os.replace(beside, place)
    except BaseException:
        os.unlink(beside)
        raise


def _print(text: str) -> None:
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise OutputError("standard output is closed")
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        silence(stream)
        raise OutputError(f"standard output: cannot write: {getattr(error, 'strerror', None) or error}") from error
