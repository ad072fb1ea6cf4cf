"""What is a plain value made of? A dataclass that costs little to declare: a hundred of them are declared in every run.

`dataclass(frozen=True, slots=True)` compiles seven functions for each class, which was a fifth of a small report's time (on
Python 3.11). Only `__init__` is worth that: equality, hash and representation are the same functions for all, and that nobody
assigns to a field is seen to by the type checker (PEP 681), not at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

__all__ = ["frozen"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class a dataclass with slots whose instances do not change."""
    made: Any = dataclass(eq=False, repr=False, slots=True)(cls)
    own = fields(made)
    made.__eq__ = _equality(_values([one.name for one in own if one.compare]))
    made.__hash__ = _hash(_values([one.name for one in own if (one.compare if one.hash is None else one.hash)]))
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _representation([one.name for one in own if one.repr])
    return made  # type: ignore[no-any-return]


def _values(names: list[str]) -> Callable[[object], object]:
    return attrgetter(*names) if names else lambda _: ()


def _equality(values: Callable[[object], object]) -> Callable[[object, object], Any]:
    def equal(self: object, other: object) -> Any:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return values(self) == values(other)

    return equal


def _hash(values: Callable[[object], object]) -> Callable[[object], int]:
    return lambda self: hash(values(self))


def _representation(names: list[str]) -> Callable[[object], str]:
    def representation(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return representation
