"""What speaks against a finding: the value itself, or the place where it stands?"""

from __future__ import annotations

import re

from layerscope.analysis.credentials import kind_of
from layerscope.regex import regex
from layerscope.secrets.names import PLACEHOLDER

LEVELS = ("info", "warning", "error")
_EXAMPLE = regex(
    rb"example|sample|dummy|fake|changeme|change_me|placeholder|redacted|your[-_]|insert[-_]|xxxx|0000000|1234567|abcdefg|deadbeef"
    rb"|foobar|notreal|invalid|test",
    re.IGNORECASE,
)
# The token that jwt.io shows, and the keys that curl, requests and others use in their tests name nobody.
_KNOWN = regex(rb"eyJzdWIiOiIxMjM0NTY3ODkwI")
_WEAK = regex(
    rb"^(?:pass(?:word|wd)?|secret|user(?:name)?|foo|bar|baz|pwd|token|key|admin|root|guest|x+|\*+|\.+|-+)$", re.IGNORECASE
)
_FOLDERS = regex(
    rb"(?:^|/)(?:tests?|testing|testdata|test[-_]data|__tests__|fixtures?|mocks?|__mocks__|specs?|examples?|samples?|docs?|documentation|demos?|man|info|help)/"
    rb"|(?:^|/)(?:README|CHANGELOG|HISTORY|CHANGES|NEWS)[^/]{0,20}$|\.(?:md|rst|adoc|1|3|5|7|8)$|[._-](?:test|spec)\.[a-z]{1,4}$|\.d\.ts$",
    re.IGNORECASE,
)
_INSTALLED = regex(rb"(?:^|/)(?:node_modules|site-packages|dist-packages|vendor|gems)/")


def is_placeholder(value: bytes) -> bool:
    """Whether a value stands for one that is to come: `${TOKEN}`, `<token>`, `changeme`."""
    text = value.strip(b"\"'").strip()[:200].decode("latin-1")
    return bool(PLACEHOLDER.match(text))


def is_example(value: bytes) -> bool:
    """Whether a value was made for a page or a test."""
    if _EXAMPLE.search(value) or _KNOWN.search(value):
        return True
    return len(value) >= 16 and len(set(value)) < 6


def weigh(level: str, path: bytes, value: bytes, *, free: bool) -> str | None:
    """Return the level that is left of a finding, None if nothing is.

    `free` values are chosen by people (a password), the others by a machine.
    """
    if free and (is_placeholder(value) or _WEAK.match(value.strip(b"\"'"))):
        return None
    steps = 0
    if is_example(value) and not (free and kind_of(path) is not None):
        steps += 1 if kind_of(path) is not None else 2
    if _FOLDERS.search(path):
        steps += 1
    if _INSTALLED.search(path):
        steps += 1
    return LEVELS[max(0, LEVELS.index(level) - steps)]
