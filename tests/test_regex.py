"""A pattern is what `re.compile` makes, and is not made before somebody asks."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from layerscope.regex import regex


@pytest.fixture
def compiled(monkeypatch) -> list[object]:
    """What was compiled."""
    found: list[object] = []
    make = re.compile

    def record(looks, flags=0):
        found.append(looks)
        return make(looks, flags)

    monkeypatch.setattr(re, "compile", record)
    return found


def test_a_pattern_is_compiled_when_it_is_used_first_and_once(compiled) -> None:
    pattern = regex(r"a(?P<more>b*)", re.IGNORECASE)
    assert pattern.pattern == r"a(?P<more>b*)"
    assert not compiled
    assert [pattern.fullmatch(text) is not None for text in ("ABB", "abc", "a")] == [True, False, True]
    assert compiled == [r"a(?P<more>b*)"]


def test_a_pattern_does_what_a_compiled_one_does() -> None:
    ours, theirs = regex(rb"(\d+)-(?P<end>\w)", re.DOTALL), re.compile(rb"(\d+)-(?P<end>\w)", re.DOTALL)
    text = b"1-a, 22-b; 3-"
    assert ours.findall(text) == theirs.findall(text)
    assert [found.span() for found in ours.finditer(text)] == [found.span() for found in theirs.finditer(text)]
    assert ours.sub(rb"\2", text, count=1) == theirs.sub(rb"\2", text, count=1)
    assert ours.split(text, maxsplit=1) == theirs.split(text, maxsplit=1)
    assert (ours.groups, ours.groupindex) == (theirs.groups, theirs.groupindex)
    with pytest.raises(AttributeError):
        _ = ours.nothing
    with pytest.raises(re.error):
        regex("(").match("")


def test_importing_every_module_compiles_nothing() -> None:
    code = """
import re, sys
from importlib import import_module
from pkgutil import walk_packages
import layerscope

make, found = re.compile, []

def record(looks, flags=0):
    name = sys._getframe(1).f_globals["__name__"]
    if name.startswith("layerscope"):
        found.append((name, looks))
    return make(looks, flags)

re.compile = record
names = [one.name for one in walk_packages(layerscope.__path__, "layerscope.") if not one.name.endswith("__main__")]
for name in names:
    import_module(name)
print(len(names), found)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, _, found = done.stdout.strip().partition(" ")
    assert int(count) > 200
    assert found == "[]"
