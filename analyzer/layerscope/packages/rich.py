"""Which names does a rich dependency of rpm ask for, given what is installed?

`(a if b else c)`, `(a unless b else c)`, `(a or b)`, `(a and b)`, `(a with b)`, `(a without b)`, nested; a name may hold
balanced parentheses of its own, as `perl(Carp)` does. Versions are passed over: rpm saw to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_COMPARISONS = frozenset({"<", "<=", "=", "==", ">=", ">"})
_OPERATORS = frozenset({"and", "or", "if", "unless", "with", "without", "else"})

_Value = tuple[bool, tuple[str, ...]]
"""Whether it is met, and the names that it asks for."""

_NOTHING: _Value = (True, ())


def names_of(expression: str, known: Container[str]) -> tuple[str, ...]:
    """Return the names that an expression asks for, as far as they are known; nothing of one that is not well formed."""
    frames: list[list[_Value | str]] = [[]]
    skip = False
    for word in _words(expression):
        if skip or word in _COMPARISONS:
            skip = not skip
        elif word == "(":
            frames.append([])
        elif word == ")":
            if len(frames) == 1:
                return ()
            value = _reduce(frames.pop())
            frames[-1].append(value)
        elif word in _OPERATORS:
            frames[-1].append(word)
        else:
            frames[-1].append((word in known, (word,)))
    if len(frames) > 1:
        return ()
    return tuple(dict.fromkeys(name for name in _reduce(frames[0])[1] if name in known))


def _words(expression: str) -> Iterator[str]:
    """Yield parentheses of groups, and words; those inside a word belong to it."""
    start, depth = -1, 0
    for at, sign in enumerate(expression):
        if start < 0:
            if sign in "()":
                yield sign
            elif not sign.isspace():
                start, depth = at, 0
        elif sign == "(":
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
        elif sign == ")" or sign.isspace():
            yield expression[start:at]
            start = -1
            if sign == ")":
                yield sign
    if start >= 0:
        yield expression[start:]


def _reduce(items: list[_Value | str]) -> _Value:
    """Return what a group comes to; operators of one kind follow each other, but for an `else`."""
    values = [item for item in items if not isinstance(item, str)]
    operators = [item for item in items if isinstance(item, str)]
    if not values:
        return _NOTHING
    first = operators[0] if operators else "and"
    if first == "or":
        return next((value for value in values if value[0]), values[0])
    if first in {"if", "unless"} and len(values) > 1:
        if values[1][0] == (first == "if"):
            return values[0]
        return values[2] if len(values) > 2 else _NOTHING
    if first in {"if", "unless", "without", "else"}:
        return values[0]
    return all(met for met, _ in values), tuple(name for _, names in values for name in names)
