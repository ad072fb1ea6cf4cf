"""Is a Dockerfile read as BuildKit reads it?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.analysis.dockerfile import DockerfileError, expand, lineage, read_instructions, read_stages


def read(text):
    return [(one.line, one.end, one.verb, one.text) for one in read_instructions(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM x\nRUN a\n", [(1, 1, "FROM", "x"), (2, 2, "RUN", "a")]),
        ("\ufeffFROM x", [(1, 1, "FROM", "x")]),
        ("from x\r\nrun a \\\r\n  b\r\n", [(1, 1, "FROM", "x"), (2, 3, "RUN", "a   b")]),
        ("# c\n\n  # d\n  FROM x", [(4, 4, "FROM", "x")]),
        ("RUN a \\\n  # no\n\n  b \\  \n c\nCMD x", [(1, 5, "RUN", "a   b  c"), (6, 6, "CMD", "x")]),
        ("RUN a \\\\\nRUN b", [(1, 1, "RUN", "a \\\\"), (2, 2, "RUN", "b")]),
        ("RUN a \\", [(1, 1, "RUN", "a")]),
        ("# escape=`\nRUN a `\n  C:\\\nRUN b", [(2, 3, "RUN", "a   C:\\"), (4, 4, "RUN", "b")]),
        ("# syntax=docker/dockerfile:1\n# escape=`\nRUN a `\nb", [(3, 4, "RUN", "a b")]),
        ("#\n# escape=`\nRUN a \\\nb", [(3, 4, "RUN", "a b")]),
        ("# escape=x\nRUN a \\\nb", [(2, 3, "RUN", "a b")]),
        ("RUN\nRUN a", [(1, 1, "RUN", ""), (2, 2, "RUN", "a")]),
        ("12 x\n=\nRUN a", [(3, 3, "RUN", "a")]),
        ("", []),
    ],
)
def test_lines(text, found):
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "end", "heredocs"),
    [
        ("RUN <<EOF\na\n# b\nRUN c\nEOF\nCMD x", 5, (("EOF", "a\n# b\nRUN c"),)),
        ("RUN <<-EOF\n\ta\n\tEOF\nCMD x", 3, (("EOF", "a"),)),
        ("RUN <<'A' cat && <<\"B\" cat\na\nA\nb\nB\nCMD x", 5, (("A", "a"), ("B", "b"))),
        ("COPY <<a <<b /x\n1\na\n2\nb\nCMD x", 5, (("a", "1"), ("b", "2"))),
        ("RUN python3 - 3<<EOF\na\nEOF\nCMD x", 3, (("EOF", "a"),)),
        ("ONBUILD RUN <<EOF\na\nEOF\nCMD x", 3, (("EOF", "a"),)),
        ("RUN a \\\n <<EOF\nb\nEOF\nCMD x", 4, (("EOF", "b"),)),
        ("RUN a<<EOF\nCMD x", 1, ()),
        ("RUN cat <<<EOF\nCMD x", 1, ()),
        ("RUN <<EOF\na", 2, (("EOF", "a"),)),
    ],
)
def test_heredocs(text, end, heredocs):
    first, *rest = read_instructions(text)
    assert (first.end, first.heredocs) == (end, heredocs)
    assert [one.verb for one in rest] == (["CMD"] if "CMD" in text else [])


def test_other_instructions_have_no_heredocs():
    assert [verb for _, _, verb, _ in read("ENV A=<<EOF\nRUN a\nLABEL <<EOF\nRUN b")] == ["ENV", "RUN", "LABEL", "RUN"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("--mount=type=cache,target=/x --network=none make --all", "make --all"),
        ("--from=a --link --chown=1:1 a b", "a b"),
        ('--mount="type=cache,target=/a b" x', "x"),
        ("-x y", "-x y"),
        ("--link", ""),
    ],
)
def test_flags(text, plain):
    assert read_instructions(f"RUN {text}")[0].plain == plain


STAGES = """\
ARG BASE=debian
ARG TAG=12
FROM --platform=$BUILDPLATFORM node:${NODE:-20} AS Build
RUN npm ci
FROM $BASE:${TAG} as app
COPY --from=build /x /x
FROM app
USER node
FROM app AS app
CMD x
"""


def test_stages():
    stages = read_stages(STAGES)
    assert [(stage.base, stage.name, stage.start.line) for stage in stages] == [
        ("node:20", "build", 3), ("debian:12", "app", 5), ("app", None, 7), ("app", "app", 9),
    ]  # fmt: skip
    instructions, lowest = lineage(stages, 2)
    assert [one.verb for one in instructions] == ["COPY", "USER"]
    assert lowest.base == "debian:12"
    assert [one.verb for one in lineage(stages, 3)[0]] == ["COPY", "CMD"]  # not itself


def test_a_file_without_stages():
    assert read_stages("RUN a\nARG X") == ()
    assert read_stages("FROM\nRUN a")[0].base == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [("$A", "1"), ("${A}x", "1x"), ("${B:-2}", "2"), ("${B-2}", "2"), ("$B", "$B"), ("a", "a"), ("${A:+3}", "1"), ("${", "${")],
)
def test_variables(text, said):
    assert expand(text, {"A": "1"}) == said


@pytest.mark.parametrize("text", ["\n" * 20_001, "x" * ((1 << 20) + 1)])
def test_a_file_that_nobody_wrote_is_refused(text):
    with pytest.raises(DockerfileError):
        read_stages(text)


@given(st.text() | st.text("FROM RUNCOPY \\\n#<<EOF=`-$\"'{}AS", max_size=200))
def test_nothing_is_an_error(text):
    stages = read_stages(text)
    for number in range(len(stages)):
        lineage(stages, number)
    lines = [one.line for one in read_instructions(text)]
    assert lines == sorted(set(lines))


MIB = 1 << 20
HOSTILE = [
    "RUN --a" + '="x"' * (MIB // 4 - 10) + "y",
    "# a=" + " " * (MIB - 10) + "x",
    "RUN " + "<<A " * (MIB // 4 - 10),
    "FROM " + "${a-" * (MIB // 4 - 10),
    "RUN " + "\\ \t" * (MIB // 3 - 10),
    "FROM x AS y\n" * 19_000,
    "FROM y AS y\n" * 19_000,
    "RUN a \\\n" * 19_000,
    "ARG A=$A$A\n" * 100 + "FROM $A",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:10].strip() for text in HOSTILE])
def test_a_long_file_takes_no_time(text):
    begin = time.process_time()
    stages = read_stages(text)
    if stages:
        lineage(stages, len(stages) - 1)
    assert time.process_time() - begin < 2
