"""A frozen value is what a dataclass of the library would be."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import ClassVar

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
class Plain:
    name: str
    size: int = 0
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TheirPlain:
    name: str
    size: int = 0
    parts: tuple[int, ...] = ()


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


def test_what_is_made_for_a_value_is_its_own():
    first, second = Ours("a"), Ours("b")
    first.parts.append(1)
    assert second.parts == []
    assert Ours("a", parts=[2]).parts == [2]
    assert [one.default_factory for one in fields(Ours)] == [one.default_factory for one in fields(Theirs)]
    assert not isinstance(vars(Ours).get("parts"), list)


def test_a_field_without_a_default_is_asked_for():
    @frozen
    class Shy:
        name: str = field(repr=False)
        size: int = field(default=1)

    assert repr(Shy("a")).endswith("Shy(size=1)")
    with pytest.raises(TypeError, match="'name'"):
        Shy()


def test_an_own_representation_stays():
    @frozen
    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

    assert repr(Own("a")) == "own"


def test_a_plain_one_is_what_a_dataclass_is():
    pairs = [(Plain(*values), TheirPlain(*values)) for values in (("a",), ("a", 1), ("b", 1), ("a", 1, (2,)))]
    for ours, theirs in pairs:
        assert repr(ours) == repr(theirs).replace("TheirPlain", "Plain")
        assert [ours == other for other, _ in pairs] == [theirs == other for _, other in pairs]
        assert hash(ours) == hash(theirs)
        assert copy.copy(ours) == pickle.loads(pickle.dumps(ours)) == ours
        assert repr(replace(ours, size=3)) == repr(replace(theirs, size=3)).replace("TheirPlain", "Plain")
        assert not hasattr(ours, "__dict__")
    assert Plain(size=1, name="a") == Plain("a", 1)
    assert Plain.__match_args__ == TheirPlain.__match_args__
    assert [(one.name, one.default) for one in fields(Plain)] == [(one.name, one.default) for one in fields(TheirPlain)]
    for wrong in ({}, {"name": "a", "weight": 1}):
        messages = []
        for made in (Plain, TheirPlain):
            with pytest.raises(TypeError) as caught:
                made(**wrong)
            messages.append(str(caught.value).replace("TheirPlain", "Plain"))
        assert messages[0] == messages[1]


def test_the_fields_of_a_plain_one_are_described_when_somebody_asks():
    @frozen
    class Late:
        name: str

    assert not isinstance(vars(Late)["__dataclass_fields__"], dict)
    assert is_dataclass(Late("a"))
    assert isinstance(vars(Late)["__dataclass_fields__"], dict)


def test_what_is_not_plain_is_left_to_the_library():
    @frozen
    class Base:
        name: str

    @frozen
    class Heir(Base):
        kind: ClassVar[str] = "heir"
        size: int = 0

    assert Heir.kind == "heir"
    assert repr(Heir("a", 1)).endswith("Heir(name='a', size=1)")
    assert [one.name for one in fields(Heir)] == ["name", "size"]
