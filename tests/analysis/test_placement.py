"""Does each layer find the line that made it, and say so where it is not sure?"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.analysis.dockerfile import Source
from layerscope.analysis.placement import Place, place_layers
from layerscope.archive.history.instructions import for_people
from layerscope.model import HistoryRow

from analysis.make import image

BLANK = image({"a": b"x"})
H = "0123456789abcdef" * 4


def built(*texts):
    """Return an image with these rows; `#` in front: it made no layer."""
    rows, layer = [], 0
    for text in texts:
        empty = text.startswith("#")
        raw = text.removeprefix("#")
        rows.append(HistoryRow(raw, for_people(raw), None, None, empty, None if empty else layer))
        layer += not empty
    return replace(BLANK, history=tuple(rows))


def lines(text, *rows):
    """Return the line of each row, `?` behind one that is not sure, None without one."""
    places = place_layers(built(*rows), Source("Dockerfile", text)).rows
    return [
        f"{places[index].line}{'' if places[index].sure else '?'}" if index in places else None for index in range(len(rows))
    ]


BUILDKIT = """\
# syntax=docker/dockerfile:1
ARG BASE=node:20
FROM golang AS build
RUN go build ./...
FROM ${BASE}
ARG VERSION
ENV PORT=80 NAME="a b"
RUN --mount=type=cache,target=/root/.npm \\
    # a comment in between
    npm ci && \\

    npm run build
WORKDIR /app
COPY --from=build --chown=node:node /out /app
COPY . .
RUN <<EOF
set -e
make
EOF
RUN cat <<X > /x
RUN echo not an instruction
X
EXPOSE ${PORT} 443
USER node
CMD npm start
"""


def test_buildkit():
    rows = (
        "ADD rootfs.tar /", '#CMD ["bash"]', "#ENV NODE=20", "RUN /bin/sh -c install node # buildkit",
        "#ARG VERSION=7", "#ENV PORT=80 NAME=a b", "RUN |1 VERSION=7 /bin/sh -c npm ci &&     npm run build # buildkit",
        "WORKDIR /app", "COPY --chown=node:node /out /app # buildkit", "COPY . . # buildkit",
        "RUN |1 VERSION=7 /bin/sh -c set -e\nmake\n # buildkit", "RUN /bin/sh -c cat <<X > /x\nRUN echo not an instruction\nX # buildkit",
        "#EXPOSE map[443/tcp:{} 80/tcp:{}]", "#USER node", '#CMD ["/bin/sh" "-c" "npm start"]',
    )  # fmt: skip
    found = place_layers(built(*rows), Source("Dockerfile", BUILDKIT))
    wanted = [None, None, None, None, "6", "7", "8", "13", "14", "15", "16", "20", "23", "24", "25"]
    assert lines(BUILDKIT, *rows) == wanted
    assert found.layers[2] == Place(8, 12)
    assert (found.base, found.image, found.below, found.user) == (Place(5, 5), "node:20", (2, 4), 25)


def test_the_classic_builder_keeps_only_hashes():
    text = 'FROM x\nCOPY a /a\nCOPY --chown=1 b c ./\nADD d /d/\nRUN ["make", "x"]\nVOLUME /v\nLABEL b=1 a=\'2 3\'\nENTRYPOINT ["e"]'
    rows = (
        f"/bin/sh -c #(nop) COPY file:{H} in /a ", f"/bin/sh -c #(nop) COPY --chown=1 multi:{H} in ./ ",
        f"/bin/sh -c #(nop) ADD dir:{H} in /d/ ", "make x", "#/bin/sh -c #(nop)  VOLUME [/v]",
        "#/bin/sh -c #(nop)  LABEL a=2 3 b=1", '#/bin/sh -c #(nop)  ENTRYPOINT ["e"]',
    )  # fmt: skip
    assert lines(text, *rows) == ["2", "3", "4", "5", "6", "7", "8"]


def test_kaniko_writes_lines_as_they_are():
    text = "FROM x\nCOPY --from=b /a /b\nRUN --mount=type=cache,target=/x make\nENV A $B/c"
    assert lines(text, "COPY --from=b /a /b", "RUN --mount=type=cache,target=/x make", "#ENV A $B/c") == ["2", "3", "4"]


def test_variables_may_be_put_in():
    text = "FROM x\nARG V=1\nENV D=/srv\nWORKDIR $D/app\nCOPY app-${V}.jar $D/\nUSER $WHO\nCOPY $X /y"
    rows = ("#ARG V=2", "#ENV D=/srv", "WORKDIR /srv/app", "COPY app-2.jar /srv/", "#USER me", "COPY z /y")
    assert lines(text, *rows) == ["2", "3", "4", "5", "6?", "7"]


def test_what_was_changed_is_not_sure():
    text = "FROM x\nRUN apt-get update && apt-get install -y curl git make\nCOPY a b\nCMD a"
    rows = ("RUN apt-get update && apt-get install -y curl git", "COPY a c", '#CMD ["b"]')
    assert lines(text, *rows) == ["2?", None, "4?"]
    assert place_layers(built(*rows), Source("D", text)).below is None


def test_rows_without_a_line_and_lines_without_a_row():
    text = "FROM x\nRUN a\nRUN b\nRUN c"
    assert lines(text, "RUN a", "RUN other", "RUN c") == ["2", None, "4"]
    assert lines(text, "RUN a", "RUN b", "RUN c", "#LABEL by=builder") == ["2", "3", "4", None]


def test_the_end_counts_where_base_and_file_say_the_same():
    text = "FROM x\nCOPY . .\nCMD a"
    assert lines(text, "COPY . .", "#CMD a", "COPY . .", "#CMD a") == [None, None, "2", "3"]
    assert lines("FROM x\nCOPY . .\nRUN a\nCOPY . .", "COPY . .", "RUN a", "COPY . .") == ["2", "3", "4"]


def test_the_stage_that_fits():
    text = "FROM x AS dev\nRUN a\nRUN b\nFROM y AS prod\nRUN c\nRUN d\nFROM prod\nRUN e"
    assert lines(text, "RUN c", "RUN d", "RUN e") == ["5", "6", "8"]
    assert lines(text, "RUN c", "RUN d") == ["5", "6"]
    assert lines(text, "RUN a", "RUN b") == ["2", "3"]
    assert lines("FROM x\nRUN a\nFROM y\nRUN a", "RUN a") == ["4"]
    found = place_layers(built("RUN z", "RUN c", "RUN d", "RUN e"), Source("D", text))
    assert (found.image, found.below, found.base) == ("y", (1, 1), Place(4, 4))


def test_triggers_of_the_base_have_no_line():
    assert lines("FROM node:onbuild\nCMD x", "COPY package.json /app", "RUN npm install", "#CMD x") == [None, None, "2"]


def test_nothing_to_compare():
    assert place_layers(built("RUN a"), Source("D", "RUN a")).rows == {}
    assert place_layers(built("RUN a"), Source("D", "FROM scratch")).rows == {}
    assert place_layers(built(), Source("D", "FROM x\nRUN a")).rows == {}
    assert place_layers(built("RUN a"), Source("D", "FROM x\nUSER b")).base == Place(1, 1)


COMMANDS = st.sampled_from(["make", "apt-get update", "npm ci", "pip install x", "go build ./..."])


@given(st.lists(COMMANDS, min_size=1, max_size=8), st.lists(COMMANDS, max_size=3))
def test_an_image_finds_all_its_own_lines(commands, below):
    text = "FROM x\n" + "".join(f"RUN {command} {number}\n" for number, command in enumerate(commands))
    rows = [f"RUN /bin/sh -c {command} base # buildkit" for command in below]
    rows += [f"RUN /bin/sh -c {command} {number} # buildkit" for number, command in enumerate(commands)]
    assert lines(text, *rows) == [None] * len(below) + [str(number) for number in range(2, 2 + len(commands))]


@given(st.text("FROM RUNCPY\n$ab{}<=", max_size=120), st.lists(st.text("RUN COPY$ab/<\n", max_size=20), max_size=5))
@settings(deadline=None)
def test_places_go_down_the_file_one_row_each(text, rows):
    found = place_layers(built(*rows), Source("D", text)).rows
    ends = [place.line for _, place in sorted(found.items())]
    assert len(set(ends)) == len(ends)


LONG = "RUN " + "word-%d " * 9_000 % tuple(range(9_000))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("FROM x\n" + "RUN a b\n" * 690, ["RUN a b c"] * 690),
        ("FROM x\n" + "COPY $A$B/x /y\n" * 900, [f"COPY {'x' * 60_000} /z"] * 100),
        ("FROM x\n" + "RUN a b\n" * 19_000, ["RUN a b c"] * 990),
        ("FROM x AS a\nRUN b\n" + "FROM a AS a\nRUN b\n" * 5_000, ["RUN b"] * 100),
        ("FROM x\n" + f"{LONG}\n" * 9, [f"{LONG} y"] * 200),
    ],
)
def test_large_ones_take_no_time(text, rows):
    made = built(*rows)
    begin = time.process_time()
    place_layers(made, Source("D", text))
    assert time.process_time() - begin < 6
