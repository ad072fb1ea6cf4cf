"""What is a plain value made of? A dataclass that costs little to declare: a hundred of them are declared in every run.

`dataclass(frozen=True, slots=True)` compiles seven functions for each class, which was a fifth of a small report's time (on
Python 3.11). Here nothing is compiled for a class: equality, hash and representation are the same functions for all, `__init__`
is one for each number of fields, with other names, and what describes the fields is made when somebody asks for it (`replace`).
That nobody assigns to a field is seen to by the type checker (PEP 681), not at run time. A class with a class variable or with
fields of its base is left to `dataclass`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any, TypeVar, dataclass_transform

__all__ = ["frozen"]

T = TypeVar("T")
_OUTGROWN = frozenset({"__dict__", "__weakref__"})
_PLAIN: Field[Any] = field()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class a dataclass with slots whose instances do not change."""
    names = tuple(cls.__annotations__)
    if hasattr(cls, "__dataclass_fields__") or any("ClassVar" in str(kind) for kind in cls.__annotations__.values()):
        made: Any = dataclass(eq=False, repr=False, slots=True)(cls)
        own = {one.name: one for one in fields(made)}
    else:
        own = {name: value for name in names if isinstance(value := cls.__dict__.get(name), Field)}
        made = _slotted(cls, names, own)
        own = {name: own.get(name) or _PLAIN for name in names}
    compared = [name for name, one in own.items() if one.compare]
    hashed = [name for name, one in own.items() if (one.compare if one.hash is None else one.hash)]
    shown = [name for name, one in own.items() if one.repr]
    made.__eq__ = _equality(_values(compared))
    made.__hash__ = _hash(_values(hashed))
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _representation(shown)
    return made  # type: ignore[no-any-return]


def _slotted(cls: type, names: tuple[str, ...], special: Mapping[str, Field[Any]]) -> type:
    """Return a class again, with slots and an `__init__`; `special` are the fields that are more than a default."""
    space = {name: value for name, value in cls.__dict__.items() if name not in _OUTGROWN and name not in names}
    values = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    values |= {name: one.default for name, one in special.items()}
    makers = {name: one.default_factory for name, one in special.items() if one.default_factory is not MISSING}
    given = {name: value for name, value in values.items() if value is not MISSING or name in makers}
    code = _initializer(len(names), tuple(names.index(name) for name in makers))
    own = {f"field{number}": name for number, name in enumerate(names)}
    code = code.replace(
        co_names=tuple(own.get(name, name) for name in code.co_names),
        co_varnames=("self", *names),
        co_qualname=f"{cls.__qualname__}.__init__",
    )
    made = {f"make{names.index(name)}": make for name, make in makers.items()}
    space |= {
        "__dataclass_fields__": _Description(cls),
        "__init__": FunctionType(code, made | {"MISSING": MISSING}, "__init__", tuple(given.values())),
        "__match_args__": names,
        "__qualname__": cls.__qualname__,
        "__slots__": names,
    }
    return type(cls)(cls.__name__, cls.__bases__, space)


@cache
def _initializer(count: int, made: tuple[int, ...]) -> CodeType:
    """Return what assigns a number of arguments to as many fields; some are made where they are missing."""
    names = [f"field{number}" for number in range(count)]
    values = {number: f"make{number}() if field{number} is MISSING else field{number}" for number in made}
    lines = [f" self.{name} = {values.get(number, name)}" for number, name in enumerate(names)]
    space: dict[str, Any] = {}
    exec("\n".join([f"def initialize({', '.join(['self', *names])}):", *lines, " return"]), space)  # noqa: S102 - of numbers alone
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
