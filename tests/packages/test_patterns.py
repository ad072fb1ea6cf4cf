from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.packages.databases import PATTERNS
from layerscope.packages.patterns import Patterns


def glob(pattern: list[str], path: list[str]) -> bool:
    """Match component by component, as the words define it."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(glob(pattern[1:], path[cut:]) for cut in range(len(path)))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and glob(pattern[1:], path[1:])


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**/package.json", b"package.json", True),
        ("**/package.json", b"a/b/package.json", True),
        ("**/package.json", b"a/xpackage.json", False),
        ("var/lib/dpkg/status.d/*", b"var/lib/dpkg/status.d/base", True),
        ("var/lib/dpkg/status.d/*", b"var/lib/dpkg/status.d/a/b", False),
        ("var/lib/dpkg/info/*.list", b"var/lib/dpkg/info/libc6:amd64.list", True),
        ("**/*.dist-info/RECORD", b"usr/a-1.dist-info/RECORD", True),
        ("**/*.dist-info/RECORD", b"RECORD", False),
        ("etc/passwd", b"x/etc/passwd", False),
    ],
)
def test_a_pattern_matches_what_it_says(pattern, path, expected):
    assert Patterns((pattern,))(path) is expected


part = st.sampled_from(["etc", "var", "lib", "node_modules", "@s", "package.json", "a-1.dist-info", "RECORD", "status.d",
                        "dpkg", "info", "x.list", "status", "METADATA", "passwd", "x.egg-info", "a\nb"])  # fmt: skip


@given(st.lists(part, min_size=1, max_size=6))
def test_all_patterns_together_match_what_one_of_them_does(parts):
    expected = any(glob(pattern.split("/"), parts) for pattern in PATTERNS)
    assert Patterns(PATTERNS)("/".join(parts).encode()) is expected


def test_no_patterns_match_nothing():
    assert not Patterns(())(b"")
    assert not Patterns(())(b"a")
