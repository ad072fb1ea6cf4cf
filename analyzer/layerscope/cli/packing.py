"""How is a value packed, and had again without running what somebody else may have written?

It is a pickle, packed with zstd. What comes back is made of the project's own values and plain data, and of nothing else. A
value is written as one row of its fields, the paths of a layer as one text: objects are dear, bytes are not.
"""

from __future__ import annotations

import io
import pickle
from array import array
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from importlib import import_module
from operator import attrgetter
from pickle import PickleBuffer
from typing import Any, TypeVar

import zstandard

from layerscope.model import LayerIndex

T = TypeVar("T")
LARGEST = 1 << 30
"""Bytes that a value may have when it is unpacked."""
PLAIN = frozenset(
    {
        ("array", "array"),
        ("array", "_array_reconstructor"),
        ("builtins", "bytearray"),
        ("builtins", "frozenset"),
        ("builtins", "set"),
    }
)
OMITTED = {"Cause": "rows", "Duplicates": "rows", "Ownership": "column", "Package": "paths"}
"""What of a report is not kept: long, and of use only beside the files of its image, whose questions are asked anew."""
_COLUMNS = LayerIndex.__match_args__
Row = tuple[type, tuple[Any, ...]]


def pack(value: object) -> bytes | None:
    """Return a value in few bytes, None if it is too large; it is packed as it is written, and never lies in memory twice."""
    packed = io.BytesIO()
    with zstandard.ZstdCompressor(level=1).stream_writer(packed, closefd=False) as writer:
        target = _Target(writer)
        pickler = pickle.Pickler(target, protocol=5)
        pickler.dispatch_table = _Forms({LayerIndex: _Press(), array: _lend})
        pickler.dump(value)
    return packed.getvalue() if target.size <= LARGEST else None


def unpack(data: bytes, kind: type[T]) -> T | None:
    """Return what was packed; None if that is nothing of this kind, or nothing that can be trusted."""
    try:
        found = _Reader(_Source(data)).load()
    except Exception:  # noqa: BLE001 - written by hand: then it is not remembered
        return None
    return found if isinstance(found, kind) else None


class _Forms(dict[type, Callable[[Any], Row]]):
    """How the values of each class are written; found out when the first of them is met."""

    def __missing__(self, kind: type) -> Callable[[Any], Row]:
        """Return what takes a value apart, if it is one of the project."""
        if not _is_value(kind):
            raise KeyError(kind)
        form = self[kind] = _form(kind)
        return form


def _is_value(kind: type) -> bool:
    """Whether a class is one of plain values; asked so that no description of its fields is made."""
    return "__dataclass_fields__" in vars(kind)


def _form(kind: type) -> Callable[[Any], Row]:
    """Return what takes the values of a class apart, into their class and their fields."""
    names: tuple[str, ...] = kind.__match_args__  # type: ignore[attr-defined]
    if len(names) < 2:
        return lambda value: (kind, tuple(getattr(value, name) for name in names))
    fields = attrgetter(*names)
    omitted = OMITTED.get(kind.__name__)
    if omitted is None:
        return lambda value: (kind, fields(value))
    at = names.index(omitted)

    def shorten(value: object) -> Row:
        row = fields(value)
        return kind, (*row[:at], row[at][:0], *row[at + 1 :])

    return shorten


class _Press:
    """Takes the files of a layer apart, with those columns as one object that consist of many.

    A pickler holds until the end what it has met. These objects nobody else holds: they are lent to it until the next layer.
    """

    def __init__(self) -> None:
        self._lent: list[PickleBuffer] = []

    def __call__(self, index: LayerIndex) -> Row:
        """Return the fields of a layer's files, after those of the layer before were written."""
        for one in self._lent:
            one.release()
        self._lent.clear()
        columns = {name: getattr(index, name) for name in _COLUMNS}
        joined = b"\0".join(index.paths)
        if index.paths and joined.count(b"\0") == len(index.paths) - 1:
            columns["paths"] = self._lend(joined)
        with suppress(OverflowError):  # times of no clock: they stay as they are
            columns["mtimes"] = self._lend(array("q", index.mtimes))
        return LayerIndex, tuple(columns.values())

    def _lend(self, value: bytes | array[int]) -> PickleBuffer:
        self._lent.append(lent := PickleBuffer(value))
        return lent


def _lend(column: array[Any]) -> Row:
    """Take an array apart without a copy: the pickler would hold one until the end."""
    return array, (column.typecode, PickleBuffer(column))


def _unpress(*values: Any) -> LayerIndex:
    """Return the files of a layer as they were."""
    columns = dict(zip(_COLUMNS, values, strict=True))
    if isinstance(columns["paths"], bytes):
        columns["paths"] = columns["paths"].split(b"\0", len(columns["kinds"]))
    if isinstance(columns["mtimes"], bytearray):
        columns["mtimes"] = array("q", columns["mtimes"]).tolist()
    return LayerIndex(**columns)


class _Target:
    """Counts what is written."""

    def __init__(self, writer: zstandard.ZstdCompressionWriter) -> None:
        self._writer = writer
        self.size = 0

    def write(self, data: bytes | PickleBuffer, /) -> None:
        """Write some bytes."""
        with memoryview(data) as view:
            self.size += view.nbytes
            self._writer.write(view)


class _Source:
    """What an entry holds, unpacked as it is read: no more than may be."""

    def __init__(self, data: bytes) -> None:
        self._reader = zstandard.ZstdDecompressor().stream_reader(data)
        self._left = LARGEST

    def read(self, size: int, /) -> bytes:
        """Return so many bytes."""
        data = self._reader.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise pickle.UnpicklingError("too large")
        return data

    def readline(self) -> bytes:
        """Refuse: no value that is kept has lines."""
        raise pickle.UnpicklingError("a line")


class _Reader(pickle.Unpickler):
    """Reads plain data and values of the project; anything else that a pickle may name is refused."""

    def find_class(self, module: str, name: str) -> object:
        """Return the class of a value, or what makes one."""
        if (module, name) == (LayerIndex.__module__, LayerIndex.__name__):
            return _unpress
        if (module, name) in PLAIN:
            return getattr(import_module(module), name)
        if module.partition(".")[0] == "layerscope" and "." not in name:
            found = getattr(import_module(module), name, None)
            if isinstance(found, type) and found.__module__ == module and (_is_value(found) or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no value")
