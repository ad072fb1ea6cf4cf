"""Hostile text in every field that a stranger can fill, through the real command line, in every format (E21 to E28)."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import re
import unicodedata

import build
import jsonschema
import pytest
from build import Image, Symlink
from layerscope.cli import session
from layerscope.render.schemas import schema_text

from hostile.tools import run

EVIL = {
    "ANSI": "\x1b[2J\x1b[1;31mred",
    "OSC": "\x1b]0;title\x07\x1b]8;;http://x\x1b\\link",
    "C1": "\x9b31m\x9d0;t\x9c",
    "bell and backspace": "\a\b\b\b\x7f",
    "carriage return": "good\rbad",
    "line feed": "good\nbad\n\n# head",
    "vertical": "a\vb\fc\u2028d\u2029e\x85f",
    "bidi": "\u202egpj.exe\u202c\u2066\u2069\u200f",
    "zero width": "a\u200bb\u200cc\u200dd\ufeffe\u2060",
    "blank": "\u3164\u2800\xa0\u3000",
    "tags": "\U000e0041\U000e0042",
    "no UTF-8": "\udce9\udcff",
    "GitHub": "::error file=x::hello",
    "GitHub, after a break": "x\n::add-mask::secret",
    "GitHub, old": "##[error]x",
    "Azure": "##vso[task.setvariable variable=x]y",
    "TeamCity": "##teamcity[message text='x']",
    "HTML": '"><iframe src=x></script><img src=x onerror=alert(1)>',
    "Markdown": "`a``b```\n```\n| x | y |\n[l](http://x) ![i](x) <b> @octocat #1 http://x www.x.y",
    "formula": "=cmd|' /C calc'!A0",
    "formula, plus": "+1",
    "formula, minus": "-1+1",
    "formula, at": "@SUM(1)",
    "formula, tab": "\t=1",
    "formula, return": "\r=1",
    "formula, full width": "\uff1d1",
    "quotes": "a\"b',;b\\",
    "wide": "\u6f22\u5b57" * 40,
    "combining": "e" + "\u0301" * 60,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "rich markup": "[bold]x[/bold][link=http://x]y",
    "format": "%s%n{0}{x!r}",
    "long": "n" * 200,
}  # fmt: skip
SAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def hostile_image(text):
    """Return an archive in which the text stands wherever one can stand."""
    name = text.encode("utf-8", "surrogateescape").replace(b"\0", b"")
    path = name[:80].decode("utf-8", "surrogateescape")
    words = text.encode("utf-8", "replace").decode()
    package = f"P:{words}\nV:{words}\nA:{words}\nL:{words}\nF:etc\nR:motd\n\n".encode()
    base = build.layer(
        {
            "etc/motd": b"hello",
            f"{path}/{path}": build.File(b"x" * 70, pax={"SCHILY.xattr.user.x": name}),
            f"{path}.ssh/id_rsa": b"key" * 9,
            "twin": b"x" * 70,
            "link": Symlink(path or "x"),
            "hard": build.Hardlink(path or "x"),
            "suid": build.File(b"s" * 9, mode=0o4755, uname=path[:20]),
            "lib/apk/db/installed": package,
            "etc/os-release": f'ID={words}\nVERSION_ID={words}\nPRETTY_NAME="{words}"\n'.encode(),
            "usr/lib/node_modules/x/package.json": json.dumps({"name": words, "version": words, "license": words}).encode(),
        }
    )  # fmt: skip
    top = build.tar(build.whiteout(name[:80].replace(b"/", b"_") or b"x"), build.entry("bad", checksum=1))
    config = {
        "Env": [f"{words}={words}", f"PASSWORD={words}"], "Cmd": [words], "Entrypoint": [words], "User": words,
        "WorkingDir": words, "Labels": {words: words, "org.opencontainers.image.base.name": words},
        "ExposedPorts": {words: {}}, "Volumes": {words: {}}, "author": words,
    }  # fmt: skip
    image = Image(
        [base, base, top], tags=[words or "x", f"x/{words}:1"],
        history=[words, {"created_by": words, "comment": words}, {"created_by": f"RUN {words}"}], more=config,
    )  # fmt: skip
    return build.archive(build.docker(image), extra={f"stray{path}": b"stray"})


def say(*words):
    """Run the command line here and return its exit code and what it prints."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = session.run(list(map(str, words)))
    return code, out.buffer.getvalue(), err.buffer.getvalue()


@pytest.fixture(scope="module", params=EVIL)
def outputs(request, tmp_path_factory):
    """Return what every command and format prints of one hostile image, and what it says on standard error."""
    text, folder = EVIL[request.param], tmp_path_factory.mktemp("evil")
    place = folder / "image.tar"
    place.write_bytes(hostile_image(text))
    made = {}
    for command, code, suffixes in (
        ("report", 3, "txt json md csv"),
        ("files", 3, "txt json csv"),
        ("images", 0, "txt json csv"),
        ("history", 3, "txt json md csv"),
    ):
        files = {suffix: folder / f"{command}.{suffix}" for suffix in suffixes.split()}
        done = say(command, place, *(word for file in files.values() for word in ("-o", file)))
        assert done[:2] == (code, b""), done
        made |= {f"{command} {suffix}": file.read_bytes() for suffix, file in files.items()}
        made[f"{command} error"] = done[2]
    for table in ("packages", "notes", "causes", "duplicates", "security", "owners"):
        made[f"csv {table}"] = say("report", place, "--table", table)[1]
    made["history raw"] = say("history", place, "--raw")[1]
    made["history dockerfile"] = say("history", place, "--dockerfile")[1]
    for words in (("--image", text + "?"), ("--platform", text), ("--format", text), ("--limit", text), ("--table", text)):
        code, out, made[f"error {words[0]}"] = say("report", place, *words)
        assert (code, out) == (2, b"")
    return text, made


def lines_of(text):
    return text.split("\n")


@pytest.mark.case("E21")
def test_nothing_moves_the_cursor_or_hides(outputs):
    text, made = outputs
    for name, data in made.items():
        for letter in set(data.decode("utf-8")) - {"\n"}:
            if "csv" in name and letter == "\r":
                continue
            if name == "history dockerfile" and letter == "\t":
                continue
            if name.endswith(" md") and letter == "\u2060":
                continue
            assert unicodedata.category(letter) not in SAFE, (name, letter, text)


@pytest.mark.case("E26")
def test_no_line_is_a_command_to_a_build_service(outputs):
    _, made = outputs
    for name, data in made.items():
        if "json" in name:
            continue
        for line in lines_of(data.decode()):
            assert not re.match(r"\s*::", line), (name, line)
            assert not re.search(r"##(vso|teamcity)?\[", line), (name, line)


@pytest.mark.case("E28")
def test_json_is_valid_and_keeps_the_raw_bytes(outputs):
    text, made = outputs
    for name, schema in (
        ("report json", "report"),
        ("files json", "files"),
        ("images json", "images"),
        ("history json", "history"),
    ):
        document = json.loads(made[name], parse_constant=pytest.fail)
        jsonschema.validate(document, json.loads(schema_text(schema)))
    rows = json.loads(made["files json"])["files"]
    paths = [row["path"].encode("utf-8") if row["path_b64"] is None else base64.b64decode(row["path_b64"]) for row in rows]
    wanted = text.encode("utf-8", "surrogateescape").replace(b"\0", b"")[:80].decode("utf-8", "surrogateescape")
    assert any(wanted.strip("/").split("/")[0].encode("utf-8", "surrogateescape") in path for path in paths)


@pytest.mark.case("E24")
def test_csv_is_parsed_back_and_holds_no_formula(outputs):
    _, made = outputs
    for name, data in made.items():
        if "csv" not in name:
            continue
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1, name
        for row in rows[1:]:
            for field in row:
                number = re.fullmatch(r"-?\d+(\.\d+)?", field)
                assert number or not field.startswith(
                    ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
                ), (name, field)


@pytest.mark.case("E23")
def test_markdown_has_no_markup_of_a_stranger(outputs):
    text, made = outputs
    told = made["report md"].decode()
    bare = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", told, flags=re.DOTALL)
    allowed = {"details", "/details", "summary", "/summary", "br", "code", "/code"}
    assert set(re.findall(r"(?<!\\)<([^<>]*)>", bare)) <= allowed, text
    assert not re.search(r"(?<![\\\w\u2060])@(?=\w)", bare)
    assert not re.search(r"(?<!\\)!?\[[^\]]*\]\(", bare)
    for line in lines_of(told):
        if line.startswith("|"):
            cells = re.findall(r"(?<!\\)\|", line)
            assert len(cells) in (6, 7), line


@pytest.mark.case("E21")
def test_text_keeps_its_width(outputs):
    text, made = outputs
    if text.isascii():
        assert max(map(len, lines_of(made["report txt"].decode()))) <= 80


@pytest.mark.case("E28")
def test_integers_stay_integers(tmp_path):
    place = tmp_path / "x.tar"
    size = (1 << 63) - 1
    place.write_bytes(build.docker_save(Image([build.tar(build.sparse_pax("s", [(0, b"x")], size))])))
    done = run("report", place, "--format", "json")
    assert json.loads(done.stdout)["totals"]["content_bytes"] == size
    assert str(size).encode() in done.stdout


@pytest.mark.case("E21", "E26")
@pytest.mark.parametrize("name", EVIL)
def test_messages_are_escaped_too(tmp_path, name):
    place = tmp_path / EVIL[name].replace("\0", "").replace("/", "_")[:60]
    for code in (2, 3):
        done = say("report", place)
        assert done[:2] == (code, b"")
        assert not {letter for letter in done[2].decode() if unicodedata.category(letter) in SAFE and letter != "\n"}
        assert done[2].count(b"\n") == 1
        place.write_bytes(b"no image")


def test_the_program_prints_what_it_writes(tmp_path):
    place = tmp_path / "image.tar"
    place.write_bytes(hostile_image("".join(EVIL.values())))
    for form in ("text", "json", "markdown", "csv"):
        done = run("report", place, "--format", form)
        assert done.returncode == 3
        assert done.stdout == say("report", place, "--format", form)[1]
