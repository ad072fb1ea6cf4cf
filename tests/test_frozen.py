"""A frozen value is what a dataclass of the library would be."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field, fields, is_dataclass, replace

import pytest
from layerscope.frozen import frozen


@frozen
class Ours:
    name: str
    size: int = 0
    parts: list[int] = field(default_factory=list, hash=False)
    seen: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Theirs:
    name: str
    size: int = 0
    parts: list[int] = field(default_factory=list, hash=False)
    seen: int = field(default=0, compare=False, repr=False)


@frozen
class Empty:
    pass


@pytest.mark.parametrize("other", [("a", 1), ("a", 2), ("b", 1), ("a", 1, [3]), ("a", 1, [], 7)])
def test_equality_and_hash_are_those_of_a_dataclass(other):
    for made in (Ours, Theirs):
        assert (made("a", 1) == made(*other)) == (Theirs("a", 1) == Theirs(*other))
        assert (hash(made("a", 1)) == hash(made(*other))) == (hash(Theirs("a", 1)) == hash(Theirs(*other)))
    assert Ours("a") != Theirs("a")
    assert Ours("a") != ("a", 0, [])
    assert Empty() == Empty()
    assert len({Empty(), Empty(), Ours("a"), Ours("a")}) == 2


def test_it_is_a_dataclass_with_slots():
    value = Ours("a", 1)
    assert repr(value) == repr(Theirs("a", 1)).replace("Theirs", "Ours")
    assert is_dataclass(Ours)
    assert [one.name for one in fields(Ours)] == ["name", "size", "parts", "seen"]
    assert replace(value, size=3) == Ours("a", 3)
    assert copy.copy(value) == pickle.loads(pickle.dumps(value)) == value
    assert not hasattr(value, "__dict__")
    with pytest.raises(TypeError):
        Ours()


def test_an_own_representation_stays():
    @frozen
    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

    assert repr(Own("a")) == "own"
