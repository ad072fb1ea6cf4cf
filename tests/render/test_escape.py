"""Whatever is thrown at an escape, it can only be read."""

from __future__ import annotations

import base64
import csv
import json
import re
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st
from layerscope.render import escape
from layerscope.render.document import write_json
from layerscope.render.tables import write_csv

from render.specimens import HOSTILE

NASTY = "".join(map(chr, (*range(33), 0x7F, *range(0x80, 0xA1), 0xAD, 0x200B, 0x200D, 0x200E, 0x2028, 0x2029))) + (
    "\u202a\u202e\u2066\u2069\u061c\ufeff\ufe0f\u3164\U000e0041\ud800\udcff\udc80`|<>@#[]()!*_~\\=+-:&\"',;\r\na1"
)
texts = st.one_of(st.text(NASTY), st.text(st.characters(codec=None)), st.text("`|\\ ")).map(str)


def is_plain(text):
    return all(letter == " " or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"} for letter in text)


@settings(deadline=None)
@given(texts)
@example(HOSTILE)
def test_terminal_lets_nothing_invisible_pass(text):
    shown = escape.terminal(text)
    assert is_plain(shown)
    assert escape.terminal(shown) == shown
    shown.encode("utf-8")
    assert not re.match(r"\s*::", shown)
    assert not re.search(r"##(vso)?\[", shown, re.IGNORECASE)


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P"], exclude_characters=":#\u115f\u1160\u3164\uffa0")))
def test_terminal_leaves_readable_text_alone(text):
    assert escape.terminal(text) == text


def test_terminal_shows_what_it_hides():
    assert escape.terminal("a\x1b[2J\n\x9b\u202e\udce9\ud800\U000e0041") == (
        "a\\x1b[2J\\x0a\\u{9b}\\u{202e}\\xe9\\u{d800}\\u{e0041}"
    )
    assert escape.terminal(escape.absolute(b"caf\xe9/\xc3\xa9")) == "/caf\\xe9/é"
    assert escape.terminal("::error::x") == "\\x3a:error::x"
    assert escape.terminal("##vso[task]") == "\\x23#vso[task]"
    assert escape.one_line("RUN a \\\n\t && b") == "RUN a \\ && b"


def read_code(source):
    """Return the text of a code span by the rules of CommonMark."""
    fence = re.match("`+", source)[0]
    inner = re.fullmatch(f"{fence}(?!`)(.*?)(?<!`){fence}", source, re.DOTALL)[1]
    assert fence not in re.findall("`+", inner)
    if inner[0] == inner[-1] == " " and inner.strip():
        inner = inner[1:-1]
    return inner


@settings(deadline=None)
@given(texts)
@example(HOSTILE)
@example("`")
@example(" a ")
def test_code_spans_say_what_they_were_given(text):
    source, shown = escape.code(text), escape.terminal(text)
    assert "\n" not in source
    if not shown.strip():
        assert source in {"", f"<code>{'&nbsp;' * len(shown)}</code>"}
    else:
        assert read_code(source) == shown


@settings(deadline=None)
@given(texts)
@example("\\|")
def test_cells_stay_one_cell(text):
    source = escape.cell(text)
    assert not re.search(r"(?<!\\)\|", source)
    assert source.replace("\\|", "|") == escape.code(text)


@settings(deadline=None)
@given(texts)
@example("1. x")
@example("www.example.org http://a.b @octocat #12 :smile: <img> [a](b)")
def test_prose_has_no_markup(text):
    source = escape.prose(text)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", " ", source)
    assert not re.search(r"[`*_<>\[\]|~&#$:]|www\.|[@#]\w", bare)
    assert not re.match(r"[-+=]|\d+[.)]\s", bare) or source.startswith("\\")


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(texts, st.integers(), st.none()), min_size=1, max_size=5), max_size=5))
@example([["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", "\r=1"]])
def test_csv_comes_back_and_is_no_formula(rows):
    written = write_csv(rows)
    back = list(csv.reader(written.splitlines(keepends=True)))
    assert len(back) == len(rows)
    for row, fields in zip(rows, back, strict=True):
        for value, field in zip(row, fields, strict=True):
            if isinstance(value, str):
                assert field == escape.spreadsheet(value)
                assert field[:1] not in {"=", "+", "-", "@", "\t", "\r", "\uff1d"}
                assert field.removeprefix("'") in {escape.terminal(value), escape.terminal(value)[1:]}
            else:
                assert field == ("" if value is None else str(value))


@settings(deadline=None)
@given(texts, st.binary())
@example("\\##vso[task]##[error]", b"##VSO[")
def test_json_is_valid_unicode_and_paths_come_back(text, path):
    text = escape.unicode(text)
    document = {"text": text, "path": escape.path_text(path), "path_b64": escape.path_b64(path)}
    written = write_json(document)
    written.encode("utf-8")
    assert is_plain(written.replace("\n", ""))
    back = json.loads(written)
    assert back == document
    assert not re.search(r"##(vso)?\[", written, re.IGNORECASE)
    raw = back["path"].encode() if back["path_b64"] is None else base64.b64decode(back["path_b64"])
    assert raw == b"/" + path
    assert back["path_b64"] is None or "\ufffd" in back["path"]
