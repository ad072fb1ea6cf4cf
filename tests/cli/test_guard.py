"""What is audited is what is pushed: `guard` before real programs, and before stand-ins that write down what they were asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import build
import pytest
from layerscope.cli import guard, pushes, session
from layerscope.cli.pushes import Push, read_push

BAD = {"etc/passwd": "root::0:0:root:/:/bin/sh\n"}
GOOD = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n"}
DOCKER = ("docker",)


def image_of(tree, **more):
    return build.Image([build.layer(tree)], **({"tags": ["app:1"]} | more))


def leave(*words):
    return session.run(["guard", "--", *words])


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "push"),
    [
        ("docker push app:1", Push(engine=DOCKER, name="app:1")),
        ("docker push localhost:5000/app", Push(engine=DOCKER, name="localhost:5000/app")),
        ("/usr/bin/docker image push -q app:1", Push(engine=("/usr/bin/docker",), name="app:1")),
        (
            "docker --context there -H=tcp://h push app:1",
            Push(engine=("docker", "--context", "there", "-H=tcp://h"), name="app:1"),
        ),
        ("docker push --platform=linux/arm64 app:1", Push(engine=DOCKER, name="app:1", platform="linux/arm64")),
        (
            "podman push --platform linux/arm64 app:1 docker://r/app:1",
            Push(engine=("podman",), name="app:1", platform="linux/arm64"),
        ),
        ("podman --root /x push app", Push(engine=("podman", "--root", "/x"), name="app")),
        ("skopeo copy oci-archive:a.tar docker://r/app", Push(path="a.tar")),
        ("skopeo copy --dest-creds joe:x oci:dir:tag docker://r/app", Push(path="dir", name="tag")),
        ("skopeo copy docker-archive:a.tar:app:1 docker://r/app", Push(path="a.tar", name="app:1")),
        ("skopeo copy dir:a:b docker://r/app", Push(path="a:b")),
        ("skopeo --debug copy docker-daemon:app:1 docker://r/app", Push(engine=DOCKER, name="app:1")),
        ("crane push --platform=linux/amd64 a.tar r/app", Push(path="a.tar")),
        ("regctl image import r/app a.tar", Push(path="a.tar")),
    ],
)
def test_what_a_command_pushes(command, push):
    assert read_push(command.split()) == push


@pytest.mark.parametrize(
    "command",
    [
        "docker build --push .", "docker buildx build --push -t app .", "docker --context x buildx bake --push", "docker push -a app",
        "docker push --all-tags app", "docker push", "docker push app other", "docker run x", "docker push --new-option app:1 evil:1",
        "podman push --digest-into app:1 evil:1", "nerdctl push --all-platforms app:1", "skopeo copy docker://a docker://b",
        "skopeo copy --src-daemon-host tcp://h docker-daemon:app:1 docker://b", "skopeo copy --root /x containers-storage:a docker://b",
        "skopeo inspect dir:a dir:b", "skopeo copy dir:a", "crane pull a b", "crane push a", "crane push --unknown a b c",
        "regctl image copy a b", "rm -rf x",
    ],
)  # fmt: skip
def test_what_guard_does_not_understand_is_not_run(command, capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("was run"))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("was run"))
    assert leave(*command.split()) == 2


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_before_skopeo(home, capfd):
    def write(tree):
        (home / "a.tar").write_bytes(build.oci_archive(image_of(tree)))

    command = ("skopeo", "--insecure-policy", "copy", "oci-archive:a.tar", "dir:out")
    write(BAD)
    assert leave(*command) == 1
    assert not (home / "out").exists()
    assert "not run: skopeo" in capfd.readouterr().err
    write(GOOD)
    assert leave(*command) == 0
    layer = json.loads((home / "out/manifest.json").read_text())["layers"][0]["digest"].partition(":")[2]
    assert (home / "out" / layer).read_bytes() in (home / "a.tar").read_bytes()
    assert "the bytes that were audited are the bytes that are pushed" in capfd.readouterr().err
    assert leave("skopeo", "--insecure-policy", "copy", "oci-archive:no.tar", "dir:out2") == 2
    (home / "bad.tar").write_bytes(b"x" * 100)
    assert leave("skopeo", "--insecure-policy", "copy", "oci-archive:bad.tar", "dir:out2") == 3
    assert not (home / "out2").exists()


# Saves, inspects and pushes what lies in the folder, and writes down every word that it was told.
ENGINE = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done >> log; echo -- >> log
while :; do case "$1" in --context|--root) shift 2 ;; --*) shift ;; *) break ;; esac; done
[ "$1" != image ] || [ "$2" = inspect ] || shift
case "$1" in
save) [ "$2" = "$(cat id)" ] && cat app.tar; exit $(cat save) ;;
image) cat id ;;
push) cat app.tar > pushed; [ ! -e after ] || cat after > id; exit $(cat code) ;;
*) exit 9 ;;
esac
"""


@pytest.fixture
def engine(home, monkeypatch):
    """Return what puts an image into a stand-in that is on the path under the names of all tools."""
    (home / "bin").mkdir()
    for tool in ("docker", "podman", "nerdctl", "crane"):
        (home / "bin" / tool).write_text(ENGINE)
        (home / "bin" / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (home / "code").write_text("0")
    (home / "save").write_text("0")

    def hold(tree):
        made = image_of(tree, tags=[])
        (home / "app.tar").write_bytes(build.docker_save(made))
        (home / "id").write_text(build.digest(made.config) + "\n")
        return (home / "app.tar").read_bytes()

    return hold


def asked(home):
    """Return the calls that the stand-in wrote down, each as its words."""
    return [call.splitlines() for call in (home / "log").read_text().split("--\n") if call]


@pytest.mark.parametrize("tool", ["docker", "podman", "nerdctl"])
def test_before_a_push_of_an_engine(home, engine, tool, capfd):
    engine(BAD)
    assert leave(tool, "push", "app:1") == 1
    said = capfd.readouterr()
    assert "empty-password" in said.err
    assert f"not run: {tool} push app:1" in said.err
    assert said.out == ""
    assert not (home / "pushed").exists()
    saved = engine(GOOD)
    assert leave(tool, "push", "app:1") == 0
    assert (home / "pushed").read_bytes() == saved
    assert f"{tool} pushes the image with the ID {(home / 'id').read_text().strip()}" in capfd.readouterr().err


def test_words_reach_the_tool_as_they_are_and_the_same_engine_is_asked(home, engine):
    engine(GOOD)
    words = ["--context", "the other", "image", "push", "--platform=linux/amd64", "r/app:1"]
    assert leave("docker", *words) == 0
    calls = asked(home)
    assert calls[-2] == words
    assert ["--context", "the other", "save", (home / "id").read_text().strip()] in calls
    assert all(call[:2] == ["--context", "the other"] for call in calls)


def test_the_very_program_is_asked(home, engine, monkeypatch):
    engine(GOOD)
    other = home / "other" / "docker"
    other.parent.mkdir()
    shutil.move(home / "bin/docker", other)
    (home / "bin/docker").write_text("#!/bin/sh\necho wrong >> log\n")
    (home / "bin/docker").chmod(0o755)
    assert leave(str(other), "push", "app:1") == 0
    assert "wrong" not in (home / "log").read_text()


def test_the_name_is_judged_too(home, engine, capfd):
    engine(GOOD)
    (home / "layerscope.toml").write_text('rules = {latest-tag = "error"}')
    assert leave("docker", "push", "r/app") == 1
    assert "latest-tag" in capfd.readouterr().err
    assert leave("docker", "push", "r/app:1") == 0


@pytest.mark.parametrize(("code", "told"), [(1, 2), (5, 5), (127, 127)])
def test_a_push_that_fails_is_not_an_unmet_policy(home, engine, code, told):
    engine(GOOD)
    (home / "code").write_text(str(code))
    assert leave("docker", "push", "app:1") == told


def test_what_cannot_be_audited_is_not_pushed(home, engine, capfd):
    engine(GOOD)
    whole = (home / "app.tar").read_bytes()
    (home / "app.tar").write_bytes(b"x" * 100)
    assert leave("docker", "push", "app:1") == 3
    (home / "app.tar").write_bytes(whole[:700])
    assert leave("docker", "push", "app:1") == 3
    (home / "app.tar").write_bytes(whole)
    (home / "save").write_text("1")
    assert leave("docker", "push", "app:1") == 2
    assert " ended with 1" in capfd.readouterr().err
    (home / "save").write_text("0")
    (home / "layerscope.toml").write_text("[limit]\n")
    assert leave("docker", "push", "app:1") == 2
    (home / "layerscope.toml").unlink()
    for tool in ("docker", "podman"):
        (home / "bin" / tool).write_text("#!/bin/sh\nexit 1\n")
        assert leave(tool, "push", "app:1") == 2
    assert leave("/no/such/docker", "push", "app:1") == 2
    assert not (home / "pushed").exists()


def test_an_image_that_changes_meanwhile_is_not_pushed(home, engine, capfd, monkeypatch):
    engine(GOOD)
    stamps = iter([(home / "id").read_text().strip(), "two"])
    monkeypatch.setattr(guard, "_stamp", lambda _: next(stamps))
    assert leave("docker", "push", "app:1") == 2
    assert "changed while it was audited" in capfd.readouterr().err
    assert not (home / "pushed").exists()


def test_an_image_that_changes_while_it_is_pushed_is_told(home, engine, capfd):
    engine(GOOD)
    (home / "after").write_text("sha256:" + "1" * 64)
    assert leave("docker", "push", "app:1") == 2
    assert "what got there was not audited" in capfd.readouterr().err


def test_every_image_of_an_archive_is_audited(home, engine, capfd):
    engine(GOOD)
    images = [image_of(tree, tags=[f"app:{number}"]) for number, tree in enumerate((GOOD, BAD))]
    (home / "two.tar").write_bytes(build.docker_save(images))
    assert leave("crane", "push", "two.tar", "r/app") == 1
    assert not (home / "log").exists()
    assert session.run(["guard", "--image", "app:0", "--", "crane", "push", "two.tar", "r/app"]) == 0
    assert asked(home) == [["push", "two.tar", "r/app"]]


def test_all_tools_are_told():
    assert set(pushes._ENGINES) == {"docker", "podman", "nerdctl", "finch"}
