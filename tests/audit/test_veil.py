"""No secret in any output: every command, in every format, of an image that is full of them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import build
import pytest
import zstandard
from build import Image, layer
from hypothesis import assume, given
from hypothesis import strategies as st
from layerscope import api
from layerscope.cli import choices, session
from layerscope.render.tables import TABLES
from layerscope.secrets.veil import veil

from audit.secrets_specimens import crc_token, pem, rnd

NAMED, SHORT, WORDS, LONG = rnd(14, seed="named"), "q7Zw", "kreide zahn 7Hut", rnd(900, seed="long")
IN_LABEL, IN_ARG, IN_URL, QUOTED = (rnd(16, seed=seed) for seed in ("named in a label", "argument", "address", "quoted"))
IN_WORDS, LEGACY = "zwiebel fuchs 9Rad", "k3Q"
TOKENS = {name: crc_token("ghp", name) for name in ("deleted", "env", "label", "history", "cmd", "comment", "onbuild", "note")}
KEY = pem()
DELETED = "app/config/settings.txt"
HISTORY = [
    "/bin/sh -c #(nop) ADD file:0 in / ",
    f"|2 NPM_TOKEN={IN_ARG} WITH_PASSWORD={WORDS} /bin/sh -c npm ci --registry=https://r/ && echo {IN_ARG}",
    f"RUN |2 API_KEY={SHORT} GREETING_TOKEN={IN_WORDS} /bin/sh -c make # buildkit",
    f"/bin/sh -c #(nop)  ENV DB_PASSWORD={NAMED} OTHER_SECRET={WORDS}",
    f'RUN /bin/sh -c curl -H "Authorization: {TOKENS["history"]}" --password="{QUOTED[:8]}\\"{QUOTED[8:]}" -p{NAMED} # buildkit',
    f"RUN git clone https://joe:{IN_URL}@git.local/x && LONG_SECRET='{LONG}' x",
    f"LABEL api_key={IN_LABEL} note={TOKENS['label']}",
    {"created_by": f"ENV OLD_PASSWORD {LEGACY}", "empty_layer": True},
    "COPY config /app/config # buildkit",
    "RUN rm /app/config/settings.txt # buildkit",
    {"created_by": f"#(nop) CMD x --token={IN_ARG}", "empty_layer": True, "comment": f"made with {TOKENS['comment']}"},
]
LAYERS = [
    layer({"etc/os-release": 'ID=debian\nVERSION_ID="12"\n', "var/lib/dpkg/status": "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n",
           "var/lib/dpkg/info/a.list": "/usr/bin/a\n", "usr/bin/a": "x" * 5000}, parents=True),
    *(layer({f"opt/{number}": "y" * 3000}, parents=True) for number in range(1, 7)),
    layer({DELETED: f"url = https://joe:{IN_URL}@db.local/x\n{TOKENS['deleted']}\n{KEY}", "app/.npmrc": f"//r/:_authToken={IN_ARG}\n"}, parents=True),
    build.tar(build.whiteout(DELETED)),
]  # fmt: skip
MORE = {
    "Env": [f"DB_PASSWORD={NAMED}", f"OTHER_SECRET={WORDS}", f"T={TOKENS['env']}", "PATH=/usr/bin"],
    "Labels": {"api_key": IN_LABEL, "note": TOKENS["label"], "org.opencontainers.image.base.name": f"https://a:{IN_URL}@r/b:1"},
    "Cmd": ["x", f"--token={IN_ARG}", TOKENS["cmd"], f"-p{NAMED}"],
    "Entrypoint": ["/bin/sh", "-c", f"exec x {LONG}"],
    "OnBuild": [f"RUN echo {TOKENS['onbuild']}"],
    "Healthcheck": {"Test": ["CMD-SHELL", f"curl https://joe:{IN_URL}@h/"]},
    "User": f"{NAMED}",
    "WorkingDir": f"/x/{TOKENS['note']}",
}
SECRETS = {
    SHORT, NAMED, IN_LABEL, IN_ARG, IN_URL, QUOTED[8:], *WORDS.split(), *IN_WORDS.split(), LEGACY, LONG[:40], LONG[-40:], LONG[430:470],
    *(token[:16] for token in TOKENS.values()), *(token[-12:] for token in TOKENS.values()), KEY.splitlines()[3],
}  # fmt: skip
MADE = Image(LAYERS, tags=["app:1"], history=HISTORY, more=MORE)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Return paths: the image, the next version of it, and one that is cut off."""
    folder = tmp_path_factory.mktemp("images")
    data = build.docker_save(MADE)
    (folder / "a.tar").write_bytes(data)
    (folder / "b.tar").write_bytes(
        build.oci_archive(
            Image(
                [*LAYERS, layer({"opt/new": "z" * 100}, parents=True)],
                tags=["app:2"],
                history=[*HISTORY, f"RUN NEW_TOKEN={IN_ARG} x"],
                more=MORE,
            )
        )
    )
    (folder / "cut.tar").write_bytes(data[: len(data) // 2])
    (folder / "Dockerfile").write_text(
        f"FROM debian\nARG NPM_TOKEN={IN_ARG}\nRUN npm ci\nENV DB_PASSWORD={NAMED} OTHER_SECRET='{WORDS}'\nCOPY config /app/config\n"
    )
    return folder


def commands(folder):
    """Yield the words of every command that tells of an image, in each of its formats."""
    a, b, cut = (str(folder / name) for name in ("a.tar", "b.tar", "cut.tar"))
    for source in (a, b, cut):
        for name in ("text", "json", "markdown", "csv"):
            yield "report", source, "--format", name, "--secrets", "--verify"
            yield "report", source, "--format", name, "--dockerfile", str(folder / "Dockerfile")
            yield "history", source, "--format", name
            yield "history", source, "--format", name, "--raw"
        for name in ("text", "json", "csv"):
            yield "files", source, "--format", name
            yield "packages", source, "--format", name
        for name in choices.AUDIT_FORMATS:
            yield "audit", source, "--format", name
            yield "audit", source, "--format", name, "--dockerfile", str(folder / "Dockerfile")
        yield from (("report", source, "--format", "csv", "--table", table) for table in TABLES)
        yield "history", source, "--dockerfile"
        yield "baseline", source
        yield "hook", "run", source
        yield "images", source
        yield "images", source, "--format", "json"
        yield "whatif", source, "--squash", "--format", "json"
        yield "whatif", source, "--without", "/opt/1"
        for name in ("cyclonedx", "spdx"):
            yield "sbom", source, "--format", name
        for subject in ("a", "/usr/bin/a", f"/{DELETED}", "/app"):
            for name in ("text", "json"):
                yield "why", source, subject, "--format", name
    for name in ("text", "json", "markdown"):
        yield "diff", a, b, "--format", name
        yield "diff", b, a, "--format", name
    for name in ("text", "json", "markdown", "csv"):
        yield "compare", a, b, "--format", name
    yield "audit", a, "--image", "no such"
    yield "audit", a, "--debug", "--policy", b
    yield "cat", a, "/no/such"
    yield "guard", "--", "crane", "push", a, "r/app"


def test_no_command_tells_a_secret_in_any_format(images, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LAYERSCOPE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.chdir(tmp_path)
    told = {}
    for words in commands(images):
        code = session.run(words)
        out, err = capsys.readouterr()
        assert code in (0, 2, 3) or (code == 1 and words[0] in ("audit", "hook", "guard")), (words, err)
        if (
            words[0] in ("report", "history", "audit", "baseline", "sbom", "files", "why", "diff", "compare")
            and "no such" not in words
        ):
            told[words[0]] = told.get(words[0], 0) + (code in (0, 1))
        for secret in SECRETS:
            assert secret not in out + err, (words, secret)
    assert all(told.values()), told
    for folder, _, names in os.walk(tmp_path):
        for name in names:
            kept = Path(folder, name).read_bytes()
            if b"\x28\xb5\x2f\xfd" in kept:
                at = kept.index(b"\x28\xb5\x2f\xfd")
                kept = zstandard.ZstdDecompressor().decompressobj().decompress(kept[at:])
            for secret in SECRETS:
                assert secret.encode() not in kept, (name, secret)


def test_what_was_asked_for_is_shown_and_the_places_are_told(images, capfd):
    assert session.run(["cat", str(images / "a.tar"), f"/{DELETED}"]) == 0
    assert TOKENS["deleted"] in capfd.readouterr().out
    assert session.run(["audit", str(images / "a.tar"), "--format", "json"]) == 1
    findings = json.loads(capfd.readouterr().out)["findings"]
    (deleted,) = [row for row in findings if row["rule"] == "github-token" and row["path"]]
    assert (deleted["path"], deleted["layer"], deleted["state"], deleted["hidden_in"]) == (f"/{DELETED}", 7, "deleted", 8)
    told = {(row["rule"], row["detail"]) for row in findings if row["state"] == "config"}
    assert told >= {
        ("secret-env", "DB_PASSWORD"), ("secret-env", "OTHER_SECRET"), ("secret-label", "api_key"), ("secret-history", "NPM_TOKEN"),
        ("secret-history", "API_KEY"), ("secret-history", "LONG_SECRET"), ("github-token", "ENV T"), ("github-token", "label note"),
        ("github-token", "row 4 of the history"), ("github-token", "CMD or ENTRYPOINT"), ("github-token", "HEALTHCHECK or ONBUILD"),
        ("url-credentials", "row 5 of the history"), ("url-credentials", "label org.opencontainers.image.base.name"),
    }  # fmt: skip


def test_a_dockerfile_with_secrets_is_still_recognised(images, capfd):
    assert session.run(["report", str(images / "a.tar"), "--dockerfile", str(images / "Dockerfile"), "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out)["history"]
    assert rows[3]["dockerfile"]["line"] == 4


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\"'\\\n"), min_size=6, max_size=40),
    st.sampled_from(["{}", "x{}y", "a {} b"]),
)
def test_a_value_that_a_name_gives_away_is_nowhere(value, around):
    assume(len(value.strip()) >= 6)
    loaded = api.load(os.path.join(os.path.dirname(__file__), "../../fixtures/node-app.docker.tar"))
    config = replace(loaded.config, env=(f"DB_PASSWORD={value}",), cmd=(around.format(value),))
    veiled = veil(replace(loaded, config=config, history=()))
    assert bool(veiled.told) == (veiled.config.env == ("DB_PASSWORD=***",) and veiled.config.env != config.env)
    if veiled.told:
        assert value.strip() not in veiled.config.cmd[0].replace("***", "")
    else:
        assert veiled.config.env == config.env


def test_an_image_without_secrets_is_what_it_was(images, tmp_path):
    (tmp_path / "plain.tar").write_bytes(
        build.docker_save(Image([layer({"a": "b"})], history=["RUN x --token=$T A=b"], more={"Env": ["A=b"]}))
    )
    image = api.load(str(tmp_path / "plain.tar"))
    assert image.told == ()
    assert veil(image) == image
    full = api.load(str(images / "a.tar"))
    assert veil(full).config == full.config
