"""Every limit, passed at a small value by an image of tests/hostile/bombs.py; scripts/limits passes them at their defaults."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from layerscope.archive.limits import Limits

from hostile.bombs import BOMBS, light
from hostile.tools import MIB, ROOT, measure


def test_every_limit_has_a_bomb():
    assert list(BOMBS) == [field.name for field in dataclasses.fields(Limits)]


@pytest.mark.case("E08", "E09", "E10", "E13", "E14", "E18")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_exit_3_and_names_the_limit(tmp_path, name):
    bomb = BOMBS[name]
    place = light(name, bomb.small, tmp_path)
    with place.open("rb") as file:
        code, out, said, peak = measure(*bomb.words(place), "--limit", f"{name}={bomb.small}", stdin=file)
    assert code == 3
    assert f"--limit {name}=VALUE" in " ".join((out + said).split())
    assert peak < 150 * MIB


def test_the_script_passes_limits_at_their_defaults():
    command = [sys.executable, ROOT / "scripts" / "limits", "json_depth", "nesting"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["limit", "json_depth", "nesting"]
