"""A real push is stopped, and passes after the fix."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys

import build
import pytest
from layerscope.cli import pushes, session
from layerscope.cli.pushes import Push, read_push

BAD = {"etc/passwd": "root::0:0:root:/:/bin/sh\n"}
GOOD = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n"}


def write(path, *trees, oci=False):
    image = build.Image([build.layer(tree) for tree in trees], tags=["app:1"])
    path.write_bytes(build.oci_archive(image) if oci else build.docker_save(image))


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Return a repository with a bare one to push to."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "x")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "x@example.com")
    run("git", "init", "--quiet", "--bare", str(tmp_path / "there.git"))
    here = tmp_path / "a folder"
    run("git", "init", "--quiet", "--initial-branch=main", str(here))
    monkeypatch.chdir(here)
    run("git", "remote", "add", "origin", str(tmp_path / "there.git"))
    run("git", "commit", "--quiet", "--allow-empty", "-m", "one")
    return here


def run(*words, code=0):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == code or (code is None and done.returncode), done.stderr + done.stdout
    return done.stdout + done.stderr


def leave(*words):
    return session.run(words)


def test_a_push_is_stopped_and_passes_after_the_fix(world, capsys):
    write(world / "image.tar", BAD)
    assert leave("hook", "install", "image.tar") == 0
    assert os.access(".git/hooks/pre-push", os.X_OK)
    said = run("git", "push", "origin", "main", code=None)
    assert "empty-password" in said
    assert "--no-verify" in said
    write(world / "image.tar", GOOD)
    assert "verdict=pass" in run("git", "push", "origin", "main")
    run("git", "push", "origin", "main")  # nothing to push


def test_what_cannot_be_audited_does_not_pass(world, capsys):
    leave("hook", "install", "image.tar")
    assert "image.tar" in run("git", "push", "origin", "main", code=None)
    (world / "image.tar").write_bytes(b"no image")
    run("git", "push", "origin", "main", code=None)
    (world / "image.tar").unlink()
    leave("hook", "install", "--if-present", "image.tar")
    assert "not audited" in run("git", "push", "origin", "main")


def test_deletions_are_not_audited(world, capsys):
    run("git", "push", "--quiet", "origin", "main:old")
    write(world / "image.tar", BAD)
    leave("hook", "install", "image.tar")
    run("git", "push", "origin", ":old")
    run("git", "push", "origin", "main", code=None)


def test_the_hook_from_before_runs_first_with_what_git_says(world, capsys):
    write(world / "image.tar", GOOD)
    old = world / ".git/hooks/pre-push"
    old.parent.mkdir(exist_ok=True)
    old.write_text('#!/bin/sh\necho "$@" > args\ncat > stdin\nexit $(cat code)\n')
    old.chmod(0o755)
    (world / "code").write_text("0")
    assert leave("hook", "install", "image.tar") == 0
    assert leave("hook", "install", "image.tar") == 0  # again: it is not taken for somebody else's
    run("git", "push", "origin", "main")
    assert (world / "args").read_text().startswith("origin ")
    assert (world / "stdin").read_text().startswith("refs/heads/main ")
    (world / "code").write_text("1")
    run("git", "commit", "--quiet", "--allow-empty", "-m", "two")
    assert "pre-push.legacy ended with 1" in run("git", "push", "origin", "main", code=None)
    assert leave("hook", "uninstall") == 0
    assert "echo" in old.read_text()
    assert not (world / ".git/hooks/pre-push.legacy").exists()
    assert leave("hook", "uninstall") == 2
    old.unlink()
    assert leave("hook", "uninstall") == 0


def test_hooks_path_is_honoured(world, capsys):
    run("git", "config", "core.hooksPath", "my hooks")
    write(world / "an image.tar", BAD)
    assert leave("hook", "install", "an image.tar") == 0
    assert stat.S_IMODE((world / "my hooks/pre-push").stat().st_mode) == 0o755
    assert "empty-password" in run("git", "push", "origin", "main", code=None)
    assert leave("hook", "uninstall") == 0
    run("git", "push", "origin", "main")


def test_outside_of_a_repository_is_wrong_usage(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert leave("hook", "install", "image.tar") == 2


def test_run_as_the_frameworks_do(world, capsys):
    write(world / "a.tar", GOOD)
    write(world / "b.tar", BAD)
    assert leave("hook", "run", "a.tar") == 0
    assert leave("hook", "run", "a.tar", "b.tar") == 1
    assert leave("hook", "run", "b.tar", "missing.tar") == 2


@pytest.mark.parametrize(
    ("command", "push"),
    [
        ("docker push app:1", Push(engine="docker", name="app:1")),
        ("/usr/bin/docker image push -q app:1", Push(engine="docker", name="app:1")),
        ("podman push --platform linux/arm64 app:1 docker://r/app:1", Push(engine="podman", name="app:1")),
        ("skopeo copy oci-archive:a.tar docker://r/app", Push(path="a.tar")),
        ("skopeo copy --dest-creds joe:x oci:dir:tag docker://r/app", Push(path="dir", name="tag")),
        ("skopeo copy docker-archive:a.tar:app:1 docker://r/app", Push(path="a.tar", name="app:1")),
        ("skopeo copy dir:a:b docker://r/app", Push(path="a:b")),
        ("skopeo --debug copy docker-daemon:app:1 docker://r/app", Push(engine="docker", name="app:1")),
        ("crane push --platform=linux/amd64 a.tar r/app", Push(path="a.tar")),
        ("regctl image import r/app a.tar", Push(path="a.tar")),
    ],
)
def test_what_a_command_pushes(command, push):
    assert read_push(command.split()) == push


@pytest.mark.parametrize(
    "command",
    ["docker build --push .", "docker buildx build --push .", "docker push -a app", "docker push", "docker run x", "skopeo copy docker://a docker://b",
     "skopeo inspect dir:a dir:b", "crane pull a b", "crane push a", "regctl image copy a b", "rm -rf x", "skopeo copy dir:a"],
)  # fmt: skip
def test_what_guard_does_not_understand_is_not_run(command, capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("was run"))
    assert leave("guard", "--", *command.split()) == 2


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_guard_before_skopeo(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    command = ("guard", "--", "skopeo", "--insecure-policy", "copy", "oci-archive:a.tar", "dir:out")
    write(tmp_path / "a.tar", BAD, oci=True)
    assert leave(*command) == 1
    assert not (tmp_path / "out").exists()
    assert "not run: skopeo" in capfd.readouterr().err
    write(tmp_path / "a.tar", GOOD, oci=True)
    assert leave(*command) == 0
    assert (tmp_path / "out/manifest.json").exists()
    assert "the bytes that were audited are the bytes that are pushed" in capfd.readouterr().err
    assert leave("guard", "--", "skopeo", "--insecure-policy", "copy", "oci-archive:no.tar", "dir:out2") == 2
    (tmp_path / "bad.tar").write_bytes(b"x" * 100)
    assert leave("guard", "--", "skopeo", "--insecure-policy", "copy", "oci-archive:bad.tar", "dir:out2") == 3
    assert not (tmp_path / "out2").exists()


ENGINE = """#!/bin/sh
case "$1 $2" in
"save app:1") cat app.tar ;;
"save broken") head -c 700 app.tar; exit 1 ;;
"image inspect") cat id ;;
"push app:1") echo pushed >> log; exit $(cat code) ;;
*) exit 9 ;;
esac
"""


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Put a stand-in for docker on the path: it saves, inspects and pushes what lies in the folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(ENGINE)
    (tmp_path / "bin/docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "id").write_text("sha256:abc")
    (tmp_path / "code").write_text("0")
    return tmp_path


def test_guard_before_docker_push(engine, capfd):
    write(engine / "app.tar", BAD)
    assert leave("guard", "--", "docker", "push", "app:1") == 1
    assert not (engine / "log").exists()
    write(engine / "app.tar", GOOD)
    assert leave("guard", "--", "docker", "push", "app:1") == 0
    assert (engine / "log").read_text() == "pushed\n"
    assert "with the ID sha256:abc" in capfd.readouterr().err


def test_a_push_that_fails_is_not_an_unmet_policy(engine, capfd):
    write(engine / "app.tar", GOOD)
    for code, told in ((1, 2), (5, 5)):
        (engine / "code").write_text(str(code))
        assert leave("guard", "--", "docker", "push", "app:1") == told


def test_an_image_that_changes_meanwhile_is_not_pushed(engine, capfd, monkeypatch):
    from layerscope.cli import guard

    write(engine / "app.tar", GOOD)
    stamps = iter(["one", "two"])
    monkeypatch.setattr(guard, "_stamp", lambda _: next(stamps))
    assert leave("guard", "--", "docker", "push", "app:1") == 2
    assert "changed while it was audited" in capfd.readouterr().err
    assert not (engine / "log").exists()


def test_a_save_that_breaks_off_is_not_pushed(engine, capfd):
    write(engine / "app.tar", GOOD)
    assert leave("guard", "--", "docker", "push", "broken") in (2, 3)


def test_every_image_of_an_archive_is_audited(engine, capfd):
    images = [build.Image([build.layer(tree)], tags=[f"app:{number}"]) for number, tree in enumerate((GOOD, BAD))]
    (engine / "two.tar").write_bytes(build.docker_save(images))
    (engine / "bin/crane").write_text("#!/bin/sh\necho pushed >> log\n")
    (engine / "bin/crane").chmod(0o755)
    assert leave("guard", "--", "crane", "push", "two.tar", "r/app") == 1
    assert leave("guard", "--image", "app:0", "--", "crane", "push", "two.tar", "r/app") == 0


def test_all_tools_are_told():
    assert set(pushes._ENGINES) == {"docker", "podman", "nerdctl", "finch"}
