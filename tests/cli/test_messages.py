"""Does a message name the right thing, and only what there is?"""

from __future__ import annotations

import io
import json
import os

import pytest
from build import Image, Symlink, archive, docker, docker_save, entry, gz, layer, oci, sparse_pax, tar
from layerscope.cli import session

BASE = layer({"etc/motd": b"hello", "usr/x": b"x" * 90})
WHOLE = Image([BASE])
PARTLY = Image([BASE, tar(entry("bad", b"x", checksum=1))])


@pytest.fixture
def say(capsys):
    def run(*words):
        code = session.run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def place(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_of_two_images_the_one_that_was_read_in_part_is_named(say, place):
    whole, partly = place("whole.tar", docker_save(WHOLE)), place("partly.tar", docker_save(PARTLY))
    for words in (("diff", whole, partly), ("diff", partly, whole), ("compare", whole, partly), ("compare", partly, whole)):
        code, _, err = say(*words)
        assert code == 3
        assert err.startswith(f"{partly}: could be read only in part"), words
        assert "whole.tar" not in err
    assert say("diff", partly, partly)[2].count("partly.tar") == 1


@pytest.mark.parametrize("command", ["report", "files", "packages", "history", "audit", "baseline", "sbom"])
def test_what_a_message_advises_can_be_done(say, place, command):
    code, _, err = say(command, place("partly.tar", docker_save(PARTLY)))
    assert code == 3
    assert "--format json" not in err
    assert "'layerscope report'" in err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["audit", "{}"], 2, "the working folder was deleted: change to one that is there\n"),
        (["baseline", "{}"], 2, "the working folder was deleted: change to one that is there\n"),
        (["hook", "run", "{}"], 2, "the working folder was deleted: change to one that is there\n"),
        (["report", "{}", "--output", "out.json"], 2, "out.json: cannot write: No such file or directory\n"),
        (["export-file", "{}", "/etc/motd", "--to", "motd"], 2, "motd: cannot write: No such file or directory\n"),
        (["report", "whole.tar"], 2, "whole.tar: No such file or directory\n"),
        (["report", "{}", "--quiet"], 0, ""),
    ],
)
def test_a_working_folder_that_is_gone(say, place, tmp_path, monkeypatch, words, code, told):
    image = str(place("whole.tar", docker_save(WHOLE)))
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    said = say(*(word.format(image) for word in words))
    monkeypatch.undo()
    assert (said[0], said[2]) == (code, told)


def test_compare_takes_images_of_one_name_and_platform(say, place):
    both = place("both.tar", docker_save([WHOLE, Image([BASE, layer({"more": b"m"})])]))
    code, out, err = say("compare", both)
    assert (code, err) == (0, "")
    assert out.count("app:latest") == 2


def test_images_of_one_name_can_be_chosen_by_what_the_message_lists(say, place):
    both = place("both.tar", docker_save([WHOLE, Image([BASE, layer({"more": b"m"})])]))
    code, _, err = say("report", both)
    assert code == 2
    assert " 1 layer sha256:" in err
    assert " 2 layers sha256:" in err
    for line in err.splitlines()[1:]:
        assert say("report", both, "--image", line.split()[-1])[0] == 0
    apart = place("apart.tar", docker_save([WHOLE, Image([BASE], tags=["b:1"])]))
    assert "sha256" not in say("report", apart)[2]


def test_an_image_without_causes_lists_none(say, place):
    code, _, err = say("whatif", place("whole.tar", docker_save(WHOLE)), "--without", "cause:logs")
    assert (code, err) == (2, "this image has no cause 'logs' and no other\n")


def test_bytes_of_no_part_of_the_image_are_named_as_the_archive_names_them(say, place):
    members = oci(WHOLE)
    stray = archive(members, extra={"blobs/sha256/" + "5" * 64: b"stray", "far/" * 60 + "end": b"far"})
    _, out, _ = say("report", place("stray.tar", stray), "--format", "json")
    assert ": blobs/sha256/5555" in out
    assert "/far/far/end" in out.partition(", ...")[2][:200]


def test_an_empty_name_is_not_the_working_folder(say, tmp_path, monkeypatch):
    for name, data in oci(WHOLE).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            path.write_bytes(data)
    monkeypatch.chdir(tmp_path)
    assert say("report", ".")[0] == 0
    for words in (("report", ""), ("images", ""), ("diff", "", "."), ("compare", ".", ""), ("cat", "", "/etc/motd")):
        assert say(*words)[::2] == (2, "'': No such file or directory\n"), words


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("node-app:latest", "; nothing but files is read: docker save --output image.tar node-app:latest"),
        ("alpine", "; nothing but files is read: docker save --output image.tar alpine"),
        ("ghcr.io/a/b:1.2", "; nothing but files is read: docker save --output image.tar ghcr.io/a/b:1.2"),
        (
            "localhost:5000/a@sha256:ab12",
            "; nothing but files is read: docker save --output image.tar localhost:5000/a@sha256:ab12",
        ),
        ("docker://alpine:3.20", "; nothing but files is read: skopeo copy docker://alpine:3.20 docker-archive:image.tar"),
        ("docker-daemon:app:1", "; nothing but files is read: skopeo copy docker-daemon:app:1 docker-archive:image.tar"),
        ("docker://$(id)", ""),
        ("https://example.com/x.tar", "; nothing but files is read: download it first"),
        ("oci-archive:image.tar", "; it is named without 'oci-archive:'"),
        ("dir:there", "; it is named without 'dir:'"),
        ("image.tar", ""),
        ("build/image.tar.gz", ""),
        ("./image", ""),
        ("/image", ""),
        ("-x y", ""),
    ],
)
def test_what_is_no_file_but_the_name_of_an_image_is_told_how_to_become_one(say, tmp_path, monkeypatch, source, advice):
    monkeypatch.chdir(tmp_path)
    for words in (("report", "--", source), ("images", "--", source)):
        assert say(*words) == (2, "", f"{source}: No such file or directory{advice}\n")


def test_what_is_compressed_and_no_tar_is_named_once(say, place):
    for inside, told in (
        (b"hello" * 99, "its first header is damaged or of another format"),
        (b'{"a": 1}', "it looks like JSON"),
    ):
        path = place("x.gz", gz(inside))
        assert say("report", path)[::2] == (3, f"{path} is compressed, and holds no tar: {told}\n")


def test_a_file_that_goes_while_a_folder_is_listed_is_told(say, tmp_path, monkeypatch):
    for name, data in docker(WHOLE).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            path.write_bytes(data)
    (tmp_path / "link").symlink_to("manifest.json")
    monkeypatch.setattr(os, "readlink", lambda path: os.stat(os.fsdecode(path) + " is gone"))
    code, out, _ = say("report", tmp_path)
    assert code == 3
    assert "a file of the folder cannot be looked at: No such file or directory" in " ".join(out.split())


class Pipe:
    """A standard input that holds bytes."""

    def __init__(self, data):
        self.buffer = io.BytesIO(data)

    def isatty(self):
        return False


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty: 0 bytes"),
        (b"hello" * 200, "is a text file, not a container image"),
        (docker_save([WHOLE, Image([BASE, BASE], tags=["b:1"])]), "holds 2 images; choose one with --image or --platform"),
    ],
)
def test_standard_input_is_called_so(say, monkeypatch, data, told):
    monkeypatch.setattr("sys.stdin", Pipe(data))
    assert say("report", "-")[2].splitlines()[0] == f"standard input {told}"


@pytest.mark.parametrize(
    "words",
    [("compare", "-", "x.tar"), ("compare", "x.tar", "-"), ("diff", "-", "-"), ("cat", "-", "/a"), ("compare", "-", "-")],
)
def test_what_reads_twice_says_so(say, monkeypatch, words):
    monkeypatch.setattr("sys.stdin", Pipe(docker_save(WHOLE)))
    code, _, err = say(*words)
    assert code == 2
    assert "standard input passes only once: write the image to a file first" in err


@pytest.mark.parametrize("command", ["report", "cat", "export-file", "compare", "why"])
def test_the_help_says_whether_a_pipe_will_do(say, command):
    told = " ".join(say(command, "--help")[1].split())
    assert ("- is standard input" in told) is (command in ("report", "why"))
    assert ("pipe" in told) is (command not in ("report", "why"))


BROKEN = Image([BASE], tags=["broken:1"], document=b"[" * 99_999)
CUT = layer({"etc/passwd": b"x" * 900, "bin/sh": b"s" * 900})[:-1500]


@pytest.mark.parametrize(
    ("data", "state"), [(docker_save(WHOLE), "complete"), (docker_save(BROKEN), "incomplete"), (CUT, "incomplete")]
)
def test_what_cannot_be_read_whole_is_not_listed_as_complete(say, place, data, state):
    path = place("x.tar", data)
    code, out, _ = say("images", path)
    assert code == 0
    assert out.splitlines()[1].split()[2] == state
    assert say("report", path)[0] == (0 if state == "complete" else 3)


def test_compare_takes_what_is_there_in_part_and_says_so(say, place):
    top = layer({"more": b"m"})
    partly = Image([BASE, top], tags=["partly:1"])
    data = archive(docker([WHOLE, partly], "legacy"), omit=[top])
    path = place("both.tar", data)
    code, out, err = say("compare", path)
    assert code == 3
    assert "partly:1" in out
    assert err.startswith(f"{path}: could be read only in part")


POWERSHELL = "UTF-16 text, which PowerShell makes of what > takes (docker save --output does not go through it)"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: b"X" + data[1:], "a tar whose first header is damaged"),
        (lambda data: data[:300], "too short for a tar (300 bytes)"),
        (lambda data: b"text " * 300, "a text file"),
        (lambda data: b"\xff\xfe" + data.decode("latin-1").encode("utf-16-le"), POWERSHELL),
    ],
)
def test_a_tar_with_a_damaged_beginning_is_no_text_file(say, place, change, told):
    path = place("x.tar", change(docker_save(WHOLE)))
    assert say("report", path)[::2] == (3, f"{path} is {told}, not a container image\n")
    path = place("y.tar", b"text\0" + bytes(600))
    assert say("report", path)[::2] == (3, f"{path} is no tar, and of no kind that layerscope knows\n")


def test_a_layer_that_is_not_there_is_no_empty_one(say, place):
    path = place("x.tar", docker_save(WHOLE))
    assert say("files", path, "--layer", "0")[0] == 0
    for words in (("files", path, "--layer", "1"), ("cat", path, "/a", "--layer", "1"), ("whatif", path, "--squash", "0-1")):
        assert say(*words)[::2] == (2, "there is no layer 1: the last one is 0\n")
    none = place("none.tar", docker_save(Image([])))
    assert say("files", none, "--layer", "0")[::2] == (2, "there is no layer 0: the image has none\n")


WRONG = ("x", [], {}, [None], True, float("inf"), 1.5, 10**400)


@pytest.mark.parametrize("where", [("totals", "content_bytes"), ("layers", 0, "content_bytes"), ("layers", 0, "diff_id")])
def test_a_saved_report_with_a_value_of_another_type_is_refused(say, place, where):
    path = place("whole.tar", docker_save(WHOLE))
    saved = say("report", path, "--format", "json")[1]
    assert say("diff", place("saved.json", saved.encode()), path)[0] == 0
    for value in WRONG[2 * (where[-1] == "diff_id") :]:
        document = json.loads(saved)
        inner = document
        for key in where[:-1]:
            inner = inner[key]
        inner[where[-1]] = value
        code, _, err = say("diff", place("wrong.json", json.dumps(document).encode()), path)
        assert code == 2, value
        assert "this report of layerscope is damaged" in " ".join(err.split())


def test_a_saved_report_of_enormous_sparse_files_is_read(say, place):
    size = (1 << 63) - 1
    path = place("sparse.tar", docker_save(Image([tar(*(sparse_pax(name, [(0, b"x")], size) for name in "ab"))])))
    saved = place("saved.json", say("report", path, "--format", "json")[1].encode())
    assert say("diff", saved, path)[0] == 0


def test_what_has_no_path_is_told_where_paths_are(say, place):
    out = say("audit", place("x.tar", docker_save(WHOLE)))[1]
    assert "root-user: the container runs as root\n   in the config\n" in out


def test_what_the_image_cannot_have_is_not_an_empty_table(say):
    image = "fixtures/node-app.docker.tar"
    told = "Invalid value: 'dbe' is no type of packages. Did you mean 'deb'? There are: apk, deb, rpm, "
    code, out, err = say("packages", image, "--type", "dbe")
    assert (code, out, err[: len(told)]) == (2, "", told)
    assert say("packages", image, "--type", "apk")[0] == 0
    assert say("packages", image, "--layer", "10") == (2, "", "there is no layer 10: the last one is 9\n")
    assert say("packages", image, "--layer", "9")[0] == 0
    told = "no package of this image, and no class of files, is called 'gcc-1'\n  gcc-12\n"
    for more in ((), ("--depth", "2")):
        code, out, err = say("files", image, "--owner", "gcc-1", *more)
        assert (code, out, err[: len(told)]) == (2, "", told)
        for owner in ("gcc-12", "gcc-1?", "locale"):
            assert say("files", image, "--owner", owner, *more)[0] == 0


def test_a_mistyped_id_is_told_in_a_line_or_two(say):
    told = "Invalid value: 'setuid-fil' is no id that can be explained. Did you mean 'setuid-file'? `layerscope explain` and "
    code, _, err = say("explain", "setuid-fil")
    assert (code, err[: len(told)]) == (2, told)
    assert len(err) < 300


def test_evidence_is_wrapped(say):
    _, out, _ = say("why", "fixtures/node-app.docker.tar", "gcc-12")
    assert max(map(len, out.splitlines())) <= 80
    assert "does not call it\n    automatic)\n" in out


@pytest.mark.parametrize("data", [docker_save(WHOLE), gz(docker_save(WHOLE))])
def test_progress_knows_the_end_where_the_file_does(place, data):
    from layerscope import api

    told = []
    path = place("image.tar", data)
    api.load(str(path), progress=lambda *words: told.append(words))
    assert told
    assert {total for _, total, _ in told} == {None if data[:2] == b"\x1f\x8b" else len(data)}
    assert all(done <= (total or done) for done, total, _ in told)


def test_why_tells_where_a_symlink_leads(say, place):
    made = layer({"usr/bin/java": Symlink("/etc/alternatives/\x1bjava"), "deep": Symlink("d/" * 90 + "end")}, parents=True)
    image = place("links.tar", docker_save(Image([made])))
    assert say("why", image, "/usr/bin/java")[1].splitlines()[1] == r"symlink to /etc/alternatives/\x1bjava"
    told = say("why", image, "/deep")[1].splitlines()[1]
    assert told.startswith("symlink to d/d/")
    assert told.endswith("d/end")
    assert len(told) < 80


def test_a_file_of_settings_is_no_json(say, place):
    for text, told in (
        (b"[build-system]\nx = 1\n", "a text file"),
        (b' ["a"]', "a JSON document"),
        (b"{}", "a JSON document"),
        (b"[ [1]]", "a JSON document"),
    ):
        path = place("x", text)
        assert say("report", path)[::2] == (3, f"{path} is {told}, not a container image\n")


def test_a_folder_that_holds_no_image_is_named(say, tmp_path):
    (tmp_path / "docker/registry/v2/blobs").mkdir(parents=True)
    (tmp_path / "docker/registry/v2/blobs/x").write_bytes(b"x")
    assert say("report", tmp_path)[::2] == (3, f"nothing in {tmp_path} names an image\n")


def test_a_share_below_one_percent_has_one_sign(say):
    _, out, _ = say("whatif", "fixtures/node-app.docker.tar", "--squash", "1-2")
    assert " -1.54 kB  (<1 %)\n" in out
