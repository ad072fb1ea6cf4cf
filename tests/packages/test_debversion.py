"""Versions are ordered as dpkg orders them, and choices between packages are made by them."""

import random
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.packages.database import View
from layerscope.packages.databases import DPKG
from layerscope.packages.debversion import key, meets

IN_ORDER = (
    "~~", "~~a", "~", "", "0.9", "1.0~beta1~svn1245", "1.0~beta1", "1.0", "1.0-0ubuntu1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-10", "1.0a", "1.0+dfsg-1",
    "1.0.1", "1.2-3-1", "01.10", "1.10-1~deb12u1", "1:0.1", "2:0",
)  # fmt: skip


def test_versions_in_order():
    assert sorted(random.Random(1).sample(IN_ORDER, len(IN_ORDER)), key=key) == list(IN_ORDER)
    assert key("1.0-0") == key("1.0") == key("0:1.00") == key("1.0-")


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_compared(one, other):
    assert meets(one, "<<", other) + meets(one, "=", other) + meets(one, ">>", other) == 1
    assert meets(one, "<=", other) != meets(one, ">>", other)


def test_long_numbers_are_compared():
    assert meets("1." + "9" * 100_000, ">>", "1." + "8" * 100_000)


@pytest.mark.skipif(not shutil.which("dpkg"), reason="there is no dpkg")
def test_dpkg_says_the_same():
    chance = random.Random(7)
    words = ["1", "10", "2", "0", "a", "z", "~", "+", ".", "-", "rc", "dfsg", "~~", "00"]
    script, expected = [], []
    for _ in range(300):
        one, other = (
            f"{chance.choice(['', '', '1:', '0:'])}{chance.randrange(3)}{''.join(chance.choices(words, k=chance.randrange(5)))}"
            for _ in range(2)
        )
        if any(version.endswith("-") or "-~" in version or ":-" in version for version in (one, other)):
            continue
        for relation, name in (("<<", "lt"), ("<=", "le"), ("=", "eq"), (">=", "ge"), (">>", "gt")):
            script.append(f"dpkg --compare-versions '{one}' {name} '{other}' && echo y || echo n")
            expected.append("y" if meets(one, relation, other) else "n")
    told = subprocess.run(["sh", "-c", "\n".join(script)], capture_output=True, text=True, check=True).stdout.split()
    assert told == expected
    assert len(told) > 500


@pytest.mark.parametrize(
    ("wish", "chosen"),
    [
        ("old (>= 1:2) | new", "new"), ("old (<< 1:2) | new", "old"), ("old | new", "old"), ("absent | new", "new"), ("absent | other", "absent"),
        ("old (>= 2:9) | absent", "old"), ("old (>= 2:9)", "old"), ("old:any (= 1:1-1) | new", "old"), ("old ( >> 1:1 ) | new", "old"),
        ("virtual | new", "old"), ("virtual (>= 1) | new", "new"), ("versioned (>= 1) | new", "giver"), ("versioned (>= 3) | new", "new"),
        ("mail (>= 2) | new", "mail"),
    ],
)  # fmt: skip
def test_choices(wish, chosen):
    def paragraph(name, version, *more):
        return "\n".join(
            (f"Package: {name}", "Status: install ok installed", "Architecture: all", f"Version: {version}", *more)
        )

    text = "\n\n".join((
        paragraph("a", 1, f"Depends: {wish}"), paragraph("old", "1:1-1", "Provides: virtual"), paragraph("new", 5),
        paragraph("giver", 1, "Provides: versioned (= 2), mail (= 1)"), paragraph("mail", 2),
    ))  # fmt: skip
    found = {package.name: package for package in DPKG.read(View({b"var/lib/dpkg/status": text.encode()}))}
    assert found["a"].requires == (chosen,)
