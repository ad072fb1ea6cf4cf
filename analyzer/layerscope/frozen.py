"""What is a plain value made of? A dataclass that costs little to declare: a hundred of them are declared in every run.

`dataclass(frozen=True, slots=True)` compiles seven functions for each class, which was a fifth of a small report's time (on
Python 3.11). Here nothing is compiled for a class: equality, hash and representation are the same functions for all, `__init__`
is one for each number of fields, with other names, and what describes the fields is made when somebody asks for it (`replace`).
That nobody assigns to a field is seen to by the type checker (PEP 681), not at run time. A class with a `field()`, a class
variable or fields of its base is left to `dataclass`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any, TypeVar, dataclass_transform

__all__ = ["frozen"]

T = TypeVar("T")
_OUTGROWN = frozenset({"__dict__", "__weakref__"})


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class a dataclass with slots whose instances do not change."""
    names = tuple(cls.__annotations__)
    defaults = tuple(cls.__dict__[name] for name in names if name in cls.__dict__)
    if hasattr(cls, "__dataclass_fields__") or any(
        isinstance(cls.__dict__.get(name), Field) or "ClassVar" in str(kind) for name, kind in cls.__annotations__.items()
    ):
        made: Any = dataclass(eq=False, repr=False, slots=True)(cls)
        own = fields(made)
        compared = [one.name for one in own if one.compare]
        hashed = [one.name for one in own if (one.compare if one.hash is None else one.hash)]
        shown = [one.name for one in own if one.repr]
    else:
        made = _slotted(cls, names, defaults)
        compared = hashed = shown = list(names)
    made.__eq__ = _equality(_values(compared))
    made.__hash__ = _hash(_values(hashed))
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _representation(shown)
    return made  # type: ignore[no-any-return]


def _slotted(cls: type, names: tuple[str, ...], defaults: tuple[object, ...]) -> type:
    """Return a class again, with slots and an `__init__`."""
    space = {name: value for name, value in cls.__dict__.items() if name not in _OUTGROWN and name not in names}
    code = _initializer(len(names)).replace(
        co_names=names, co_varnames=("self", *names), co_qualname=f"{cls.__qualname__}.__init__"
    )
    space |= {
        "__dataclass_fields__": _Description(cls),
        "__init__": FunctionType(code, {}, "__init__", defaults),
        "__match_args__": names,
        "__qualname__": cls.__qualname__,
        "__slots__": names,
    }
    return type(cls)(cls.__name__, cls.__bases__, space)


@cache
def _initializer(count: int) -> CodeType:
    """Return what assigns a number of arguments to as many fields."""
    names = [f"field{number}" for number in range(count)]
    lines = [f"def initialize({', '.join(['self', *names])}):", *(f" self.{name} = {name}" for name in names), " return"]
    space: dict[str, Any] = {}
    exec("\n".join(lines), space)  # noqa: S102 - of numbers alone
    code: CodeType = space["initialize"].__code__
    return code.replace(co_name="__init__")


class _Description:
    """What `dataclasses` knows of the fields of a class, made when it is looked up first."""

    def __init__(self, origin: type) -> None:
        self._origin = origin

    def __get__(self, _instance: object, owner: Any) -> Any:
        """Return the description, and leave it where this stood."""
        described: Any = dataclass(init=False, eq=False, repr=False)(self._origin)
        owner.__dataclass_params__ = described.__dataclass_params__
        owner.__dataclass_fields__ = described.__dataclass_fields__
        return owner.__dataclass_fields__


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
