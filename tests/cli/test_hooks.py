"""A real push is stopped, and passes after the fix."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys

import build
import pytest
from layerscope.cli import session

BAD = {"etc/passwd": "root::0:0:root:/:/bin/sh\n"}
GOOD = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n"}


pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def write(path, tree):
    path.write_bytes(build.docker_save(build.Image([build.layer(tree)], tags=["app:1"])))


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


def test_installed_in_a_folder_below_the_archive_is_found_where_git_runs_the_hook(world, capsys, monkeypatch):
    (world / "build").mkdir()
    write(world / "build" / "image.tar", BAD)
    write(world.parent / "far.tar", GOOD)
    monkeypatch.chdir(world / "build")
    assert leave("hook", "install", "--if-present", "image.tar", "../../far.tar", str(world / "build" / "image.tar")) == 0
    assert "audits build/image.tar, " in capsys.readouterr().out
    hook = (world / ".git/hooks/pre-push").read_text()
    assert f"-- build/image.tar {shlex.quote(str(world.parent / 'far.tar'))} " in hook
    assert "empty-password" in run("git", "push", "origin", "main", code=None)


def test_rules_of_others_are_found_from_where_git_runs_the_hook(world, capsys, monkeypatch):
    (world / "ci").mkdir()
    (world / "ci" / "rules.toml").write_text('[[rules]]\nid = "x"\nregex = "zzz"\n')
    write(world / "image.tar", GOOD)
    monkeypatch.chdir(world / "ci")
    assert leave("hook", "install", "--secret-rules", "rules.toml", "../image.tar") == 0
    assert "--secret-rules ci/rules.toml " in (world / ".git/hooks/pre-push").read_text()


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


def test_a_hook_judges_as_the_audit_does(world, capsys):
    tree = {"var/lib/dpkg/status": "Package: login\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n",
            "var/lib/dpkg/info/login.list": "/usr/bin/su\n", "usr/bin/su": "y",
            "var/lib/dpkg/info/login.md5sums": "9dd4e461268c8034f5c8564e155c67a6  usr/bin/su\n"}  # fmt: skip
    (world / "image.tar").write_bytes(build.docker_save(build.Image([build.layer(tree, parents=True)], tags=["app:1"])))
    (world / "layerscope.toml").write_text('rules = {vendor-file-changed = "error"}')
    assert leave("audit", "image.tar") == leave("hook", "run", "image.tar") == 1


def test_a_hook_knows_other_peoples_rules(world, capsys):
    pytest.importorskip("re2")
    (world / "our rules.toml").write_text("[[rules]]\nid = 'acme-key'\nregex = 'acme_[a-z0-9]{16}'\n")
    write(world / "image.tar", {"a": "acme_a1b2c3d4e5f6g7h8"})
    assert leave("hook", "install", "--secret-rules", "our rules.toml", "image.tar") == 0
    assert "acme-key" in run("git", "push", "origin", "main", code=None)
    (world / "layerscope.toml").write_text('rules = {acme-key = "warning"}')
    run("git", "push", "origin", "main")


def test_run_as_the_frameworks_do(world, capsys):
    write(world / "a.tar", GOOD)
    write(world / "b.tar", BAD)
    assert leave("hook", "run", "a.tar") == 0
    assert leave("hook", "run", "a.tar", "b.tar") == 1
    assert leave("hook", "run", "b.tar", "missing.tar") == 2
