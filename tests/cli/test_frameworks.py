"""Other people's programs run the audit: the pre-commit framework, a composite action of GitHub's, a job of GitLab's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import build
import pytest
import yaml

ROOT = Path(__file__).parents[2]
BAD = {"etc/passwd": "root::0:0:root:/:/bin/sh\n"}
GOOD = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n"}


def write(path, tree):
    path.write_bytes(build.docker_save(build.Image([build.layer(tree)], tags=["app:1"])))


def run(*words, code=0, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    said = done.stdout + done.stderr
    assert done.returncode == code or (code is None and done.returncode), said
    return said


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Return a repository with a bare one to push to, and nobody's settings."""
    for name in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "x")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "x@example.com")
    run("git", "init", "--quiet", "--bare", str(tmp_path / "there.git"))
    here = tmp_path / "here"
    run("git", "init", "--quiet", "--initial-branch=main", str(here))
    monkeypatch.chdir(here)
    run("git", "remote", "add", "origin", str(tmp_path / "there.git"))
    return here


def clone(place):
    """Put what a clone of this project holds into a repository of its own, and return its commit."""
    for name in ("analyzer", "scripts"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, place / name)
    run("git", "init", "--quiet", str(place))
    run("git", "-C", str(place), "add", "--all")
    run("git", "-C", str(place), "commit", "--quiet", "-m", "one")
    return run("git", "-C", str(place), "rev-parse", "HEAD").strip()


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_the_pre_commit_framework_stops_a_push(git, tmp_path, monkeypatch):
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    probe = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path / "probe"), "tabulate"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("the framework installs its hooks from PyPI, which is out of reach")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    hook = {"id": "layerscope-push", "args": ["image.tar"]}
    repository = {"repo": str(tmp_path / "clone"), "rev": clone(tmp_path / "clone"), "hooks": [hook, {"id": "layerscope"}]}
    (git / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repository]}))
    (git / ".gitignore").write_text("image.tar\n")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "-m", "one")
    framework = (sys.executable, "-m", "pre_commit")
    run(*framework, "install", "--install-hooks", "--hook-type", "pre-push", "--hook-type", "pre-commit")

    write(git / "image.tar", BAD)
    said = run("git", "push", "origin", "main", code=None)
    assert "layerscope audit before push" in said
    assert "empty-password" in said
    assert "exit code: 1" in said
    (git / "image.tar").unlink()
    assert "exit code: 2" in run("git", "push", "origin", "main", code=None)
    write(git / "image.tar", GOOD)
    assert "Passed" in run("git", "push", "origin", "main")

    write(git / "committed.tar", BAD)
    run("git", "add", "committed.tar")
    assert "empty-password" in run("git", "commit", "-m", "two", code=None)
    write(git / "committed.tar", GOOD)
    run("git", "add", "committed.tar")
    run("git", "commit", "-m", "two")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Return a folder in which `layerscope` is this one, and pip only writes down what it was to install."""
    tools = tmp_path / "tools"
    tools.mkdir()
    layerscope = f'#!/bin/sh\nexec {sys.executable} -m layerscope "$@"\n'
    installer = f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/installed\n'
    for name, script in (("layerscope", layerscope), ("pip", installer), ("python3", installer)):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def act(folder, **inputs):
    """Run the steps of the action as a runner does; return the exit code and what was said."""
    action = yaml.safe_load((ROOT / ".github/actions/layerscope/action.yml").read_text())
    given = {name: about.get("default", "") for name, about in action["inputs"].items()} | inputs
    assert all(about.get("required") is None or name in inputs for name, about in action["inputs"].items())
    (folder / "script").unlink(missing_ok=True)
    job = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    said = ""
    for step in action["runs"]["steps"]:
        env = {}
        for name, value in step.get("env", {}).items():
            assert value.startswith("${{ inputs.")
            env[name] = given[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        assert "${{" not in step["run"]  # what users write is never part of the script
        assert step["shell"] == "bash"
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | job | env)
        said += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, said
    return 0, said


def test_the_action(bench):
    image = "an image; $(touch no).tar"
    partly = build.docker_save(build.Image([build.layer(GOOD), build.tar(build.entry("bad", b"x", checksum=1))]))
    write(bench / image, BAD)
    code, said = act(bench, image=image, sarif="out.sarif", version="layerscope==1")
    assert code == 1, said
    assert "::error" in said
    assert (bench / "output").read_text() == "verdict=fail\nexit=1\n"
    assert "empty-password" in (bench / "summary").read_text()
    assert json.loads((bench / "out.sarif").read_text())["version"] == "2.1.0"
    assert (bench / "installed").read_text().splitlines() == ["-m", "pip", "install", "--quiet", "layerscope==1"]
    write(bench / image, GOOD)
    (bench / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (bench / "a policy.toml").write_text('rules = {root-user = "off"}')
    code, said = act(bench, image=image, dockerfile="Dockerfile", policy="a policy.toml")
    assert code == 0, said
    assert "root-user" not in said
    assert "file=Dockerfile,line=" in said
    for data, exit_ in ((None, 2), (b"x" * 100, 3), (partly, 3)):
        (bench / "output").unlink()
        if data is not None:
            (bench / "no.tar").write_bytes(data)
        code, said = act(bench, image="no.tar")
        assert code == exit_, said
        assert (bench / "output").read_text() == f"verdict=fail\nexit={exit_}\n"
        assert ("::error title=layerscope::nothing was judged" in said) == (data is not partly)
    assert not (bench / "no").exists()


def test_the_job_of_gitlab(bench):
    (job,) = yaml.safe_load((ROOT / ".gitlab/layerscope.gitlab-ci.yml").read_text()).values()

    def act():
        env = os.environ | {"LAYERSCOPE_IMAGE": "an image.tar", "LAYERSCOPE_OPTIONS": job["variables"]["LAYERSCOPE_OPTIONS"]}
        script = "\n".join(job["script"])
        return subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False, env=env)

    write(bench / "an image.tar", BAD)
    done = act()
    assert done.returncode == 1, done.stderr
    assert "empty-password" in done.stdout
    for report in job["artifacts"]["reports"].values():
        assert "empty-password" in (bench / report).read_text()
    assert job["artifacts"]["when"] == "always"
    write(bench / "an image.tar", GOOD)
    assert act().returncode == 0
    (bench / "an image.tar").unlink()
    assert act().returncode == 2
