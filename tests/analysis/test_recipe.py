"""Would the Dockerfile that is made again make the image again, as far as anything tells?"""

from __future__ import annotations

import json
import re
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope import api
from layerscope.analysis.base import Base
from layerscope.analysis.dockerfile import read_instructions
from layerscope.analysis.history import tell_steps
from layerscope.analysis.recipe import BASE_UNKNOWN, FROM_CONFIG, NO_BASE_NAME, NOT_IN_CONFIG, UNTOLD, quote, rebuild, spread
from layerscope.model import Config, HistoryRow
from layerscope.render.recipe import recipe_text

from analysis.make import image

H = "0" * 64
ADD = f"/bin/sh -c #(nop) ADD file:{H} in / "
TREE = {"a": b"x" * 10}


def lines(made, base=None):
    base = base or Base()
    return rebuild(made, tell_steps(made, base), base)


def written(made, base=None):
    return [line.text for line in lines(made, base) if not line.comment]


def remarks(made, base=None):
    return [line.text for line in lines(made, base) if line.comment]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("RUN /bin/sh -c make # buildkit", "RUN make"),
        ("RUN |1 A=b /bin/sh -c make # buildkit", "RUN make"),
        ("RUN /bin/sh -c set -e\nmake\n # buildkit", "RUN <<EOF\nset -e\nmake\nEOF"),
        ("RUN /bin/sh -c cat <<EOF > /x\na\nEOF # buildkit", "RUN <<EOF0\ncat <<EOF > /x\na\nEOF\nEOF0"),
        ("RUN /bin/sh -c cat <<EOF # buildkit", "RUN <<EOF\ncat <<EOF\nEOF"),
        ("RUN make \\", "RUN <<EOF\nmake \\\nEOF"),
        ("RUN --mount=type=cache,target=/x a\nb", "RUN --mount=type=cache,target=/x <<EOF\na\nb\nEOF"),
        ("apt-get update", "RUN apt-get update"),
        ("COPY --chown=1 a b # buildkit", "COPY --chown=1 a b"),
        ("#EXPOSE map[80/tcp:{}]", "EXPOSE 80/tcp"),
        ("#VOLUME [/a /b]", "VOLUME /a /b"),
        ("#SHELL [/bin/bash -c]", 'SHELL ["/bin/bash", "-c"]'),
        ("#ONBUILD RUN x", "ONBUILD RUN x"),
        ("#ARG A=b", "ARG A=b"),
        ("#MAINTAINER x", "MAINTAINER x"),
    ],
)
def test_instructions(row, line):
    assert written(image(TREE, history=[row] if row[0] != "#" else ["COPY x y", row]))[1 if row[0] != "#" else 2] == line


@pytest.mark.parametrize(
    "row",
    [
        ADD,
        f"/bin/sh -c #(nop) COPY multi:{H} in /x ",
        "COPY <<EOF /x # buildkit",
        "jib-core:1.0",
        "bash",
        "WORKDIR /a\\",
        "EXPOSE [a b",
        "HEALTHCHECK &{x",
        "CMD [a b]",
        "ONBUILD RUN <<EOF",
        "RUN",
        "FROM x",
    ],
)
def test_what_cannot_be_said_is_a_comment_that_tells_the_files(row):
    made = image(TREE, history=[row])
    assert written(made) == ["FROM scratch"]
    (line,) = [line for line in lines(made) if line.comment]
    assert line.layer == 0
    assert "# layer 0: 1 file, 10 B: /a\n" in recipe_text(api.history(made))


def test_a_layer_that_history_does_not_tell_of():
    made = image(TREE, {"b": b""}, history=["RUN a"])
    assert remarks(made) == [UNTOLD]


def test_the_shell_is_told_where_it_changes():
    rows = [
        "RUN /bin/bash -o pipefail -c a # buildkit",
        "RUN /bin/bash -o pipefail -c b # buildkit",
        "RUN /bin/sh -c c # buildkit",
    ]
    shell = 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'
    made = written(image(TREE, {}, {}, history=rows))
    assert made == ["FROM scratch", shell, "RUN a", "RUN b", 'SHELL ["/bin/sh", "-c"]', "RUN c"]
    rows = ["RUN a", "#SHELL [/bin/bash -o pipefail -c]", rows[0]]
    assert written(image(TREE, {}, history=rows, Shell=["/bin/bash", "-o", "pipefail", "-c"]))[2:] == [shell, "RUN a"]


def test_the_base():
    made = image(TREE, TREE, history=[ADD, '#CMD ["sh"]', "RUN x"], Cmd=["sh"])
    assert written(made, Base("debian:12", "sha256:1", 1, "annotation", 2)) == [
        "FROM debian:12@sha256:1",
        "RUN x",
        'CMD ["sh"]',
    ]
    assert written(made, Base("debian:12", "sha256:1", 1, "image", 2))[0] == "FROM debian:12"
    assert written(made, Base(None, None, 1, "history", 2)) == ["FROM scratch", 'CMD ["sh"]', "RUN x"]
    assert NO_BASE_NAME in remarks(made, Base(None, None, 1, "history"))
    assert BASE_UNKNOWN in remarks(made, Base("debian:12"))
    assert written(made, Base("x y\nRUN evil", None, 1))[0] == "FROM scratch"
    assert written(made, Base("x", "sha256:1\nRUN evil", 1))[0] == "FROM x"


def test_the_config_has_the_last_word():
    made = image(
        TREE, history=["RUN x", "#ENV A=1 B=x y", "#ENV A=2", "#USER a", '#CMD ["a"]', "#LABEL z=1"],
        Env=["PATH=/bin", "A=3", "B=x y"], User="b", Cmd=["b"], Entrypoint=["e", "f g"], Labels={"l": 'a "b" $c'},
        ExposedPorts={"80/tcp": {}}, Volumes={"/v w": {}}, WorkingDir="/w", StopSignal="SIGINT",
        Healthcheck={"Test": ["CMD-SHELL", "x"], "Interval": 90 * 10**9, "Retries": 3}, OnBuild=["RUN y"],
    )  # fmt: skip
    assert written(made)[1:] == [
        "RUN x", "ENV A=1", 'ENV B="x y"', "ENV A=3", "USER a", 'CMD ["a"]', "LABEL z=1",
        "ENV PATH=/bin", 'LABEL l="a \\"b\\" \\$c"', "EXPOSE 80/tcp", 'VOLUME ["/v w"]', "ONBUILD RUN y", "STOPSIGNAL SIGINT",
        "HEALTHCHECK --interval=1m30s --retries=3 CMD x", "WORKDIR /w", "USER b", 'ENTRYPOINT ["e", "f g"]', 'CMD ["b"]',
    ]  # fmt: skip
    assert remarks(made) == [FROM_CONFIG, NOT_IN_CONFIG + "LABEL z"]


def test_a_command_that_the_config_does_not_have():
    assert written(image(TREE, history=["RUN x", '#CMD ["a"]']))[-2:] == ['CMD ["a"]', "CMD []"]
    # an entrypoint does away with the command of the base, not with one of the same file
    rows = ["RUN x", '#ENTRYPOINT ["e"]']
    assert written(image(TREE, history=rows, Entrypoint=["e"], Cmd=["c"]))[-1] == 'CMD ["c"]'
    assert written(image(TREE, history=rows, Entrypoint=["e"]))[-1] == 'ENTRYPOINT ["e"]'


def test_what_the_builder_kept_unexpanded_is_taken_from_the_config():
    made = image(TREE, history=["RUN x", "#ENV PATH=$PATH:/x"], Env=["PATH=/bin:/x"])
    assert written(made)[-1] == "ENV PATH=/bin:/x"
    made = image(TREE, history=["RUN x", "#ENV P=$P:/x", "#ENV P=2"], Env=["P=2"])
    assert written(made)[2:] == ['ENV P="$P:/x"', "ENV P=2"]


def test_a_label_whose_name_has_blanks():
    made = image(TREE, history=["RUN x", "#LABEL Some other label="], Labels={"Some other label": "", "a 'b": "c"})
    assert written(made)[2:] == ['LABEL "Some other label"=""']
    assert "LABEL a 'b=c" in remarks(made)


def test_what_buildah_keeps_as_it_was_written():
    rows = ["RUN x", "#ENV APP=/srv PORT=80", "#WORKDIR $APP/app", "#WORKDIR sub", "#EXPOSE ${PORT} 443/tcp", "#EXPOSE $X"]
    made = image(
        TREE, history=rows, Env=["APP=/srv", "PORT=80"], WorkingDir="/srv/app/sub", ExposedPorts={"80/tcp": {}, "443/tcp": {}}
    )
    assert written(made)[4:] == ["WORKDIR $APP/app", "WORKDIR sub", "EXPOSE ${PORT} 443/tcp"]
    assert "EXPOSE $X" in remarks(made)


def test_lines_are_broken_where_their_author_broke_them():
    assert spread("a &&     b  c &&\t\t\td # e   # f") == "a && \\\n    b  c &&\t\\\n\t\td # e   # f"


def test_a_value_of_several_lines_is_a_comment():
    made = image(TREE, history=["RUN x", "#ENV A=b"], Env=["A=b\nRUN evil"])
    assert written(made) == ["FROM scratch", "RUN x"]


def test_secrets_are_masked():
    rows = ["RUN curl -H x TOKEN=Shiy5oh58Zl5zMdFOocAtpu81xsIW", "#ENV API_TOKEN=Shiy5oh58Zl5zMdFOocAtpu81xsIW"]
    made = image(TREE, history=rows, Env=["API_TOKEN=Shiy5oh58Zl5zMdFOocAtpu81xsIW", "DB_PASSWORD=a b$ c9Xq"])
    text = recipe_text(api.history(made))
    assert 'ENV API_TOKEN="***"' in text
    assert 'DB_PASSWORD="***"' in text
    assert not re.search("Shiy5|c9Xq", text)


def unescape(value, quoted):
    return re.sub(r"\\([\\\"$])", r"\1", value[1:-1]) if quoted else value


def evaluate(text):
    """Return the config that a Dockerfile makes, read naively: environment, labels, and what stands alone."""
    env, labels, single = {}, {}, {}
    for one in read_instructions(text):
        if one.verb in ("ENV", "LABEL"):
            name, _, value = one.text.partition("=")
            (env if one.verb == "ENV" else labels)[name] = unescape(value, value.startswith('"'))
        elif one.verb == "ENTRYPOINT" and "CMD" not in single:
            single |= {"ENTRYPOINT": json.loads(one.text), "CMD": []}
        elif one.verb in ("CMD", "ENTRYPOINT"):
            single[one.verb] = json.loads(one.text)
        elif one.verb in ("USER", "WORKDIR", "STOPSIGNAL"):
            single[one.verb] = one.text
    return env, labels, single


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=12).map(str.strip)
names = st.from_regex(r"[A-Z]{1,6}[0-9]", fullmatch=True)


@given(
    env=st.dictionaries(names, values, max_size=4), labels=st.dictionaries(names, values, max_size=4),
    cmd=st.lists(values, max_size=3), entrypoint=st.lists(values, max_size=3), user=names, told=st.lists(
        st.sampled_from(["ENV {n}={v}", "LABEL {n}={v}", "USER {v}", 'CMD ["x" "y"]', 'ENTRYPOINT ["z"]', "WORKDIR /a"]), max_size=6,
    ), data=st.data(),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_whatever_history_tells_the_config_comes_out(env, labels, cmd, entrypoint, user, told, data):
    rows = [row.format(n=data.draw(names), v=data.draw(words)) for row in told]
    history = tuple(for_row(row) for row in rows)
    config = Config(
        env=tuple(f"{name}={value}" for name, value in env.items()), labels=labels, cmd=tuple(cmd), entrypoint=tuple(entrypoint),
        user=user, workdir="/w",
    )  # fmt: skip
    made = fake(config, history)
    text = "\n".join(line.text for line in lines(made) if not line.comment)
    found_env, found_labels, single = evaluate(text)
    assert {name: found_env.get(name) for name in env} == env
    assert {name: found_labels.get(name) for name in labels} == labels
    assert (single.get("CMD", []), single.get("ENTRYPOINT", [])) == (cmd, entrypoint)
    assert (single["USER"], single["WORKDIR"]) == (user, "/w")


def for_row(text):
    from layerscope.archive.history.instructions import for_people

    return HistoryRow(text, for_people(text), None, None, True, None)


def fake(config, history):
    from dataclasses import replace

    return replace(BLANK, config=config, history=history)


BLANK = image(TREE, history=["RUN x"])


@given(st.lists(st.text(max_size=60) | st.builds("{} {}".format, st.sampled_from(["RUN", "COPY", "ENV", "CMD", "ONBUILD RUN", "ADD", "VOLUME", "LABEL", "FROM", "#"]), st.text("ab \\\n\t\"'<E OF$#`=[]{}", max_size=30)), max_size=5))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_row_becomes_more_than_one_instruction(rows):
    made = fake(Config(), tuple(for_row(row) for row in rows))
    told = [line for line in lines(made) if not line.comment]
    text = recipe_text(api.history(made))
    assert [one.verb for one in read_instructions(text)] == [line.text.split()[0] for line in told]
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")


@given(st.text("ab \t\\\n#\"'&;<EOF", max_size=60).map(str.strip).filter(bool))
@settings(max_examples=300, deadline=None)
def test_a_command_is_read_again_as_it_was(command):
    (one,) = read_instructions(f"RUN {spread(command)}")
    assert (one.heredocs[-1][1] if one.heredocs else one.text) == command


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12))
def test_quotes(value):
    assert shlex.split(quote(value).replace("\\$", "$"))[:1] == [value] or "\\" in value or "$" in value or "`" in value
