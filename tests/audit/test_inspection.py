"""From the bytes of an archive to a finding: every way that contents take."""

from __future__ import annotations

import gzip
import hashlib
import io
import json

import build
import pytest
from layerscope import api
from layerscope.audit import audit
from layerscope.cli import session
from layerscope.errors import ExtraMissingError, PolicyError
from layerscope.render import FORMATS, Options
from layerscope.render.audit import AUDIT_FORMATS, baseline_json
from layerscope.secrets import SECRETS, gitleaks, inspector, sieve
from layerscope.secrets import search as searching
from layerscope.secrets.search import Search

from audit.conftest import TODAY, check, found
from audit.secrets_specimens import SPECIMENS, crc_token, pem

TOKEN = crc_token("ghp")
IMAGE = build.Image(
    [
        build.layer({"app/": build.Dir(), "app/key": pem(), "app/big": b"x" * 70_000 + b"\n" + TOKEN.encode()}),
        build.tar(build.whiteout("app/key")),
        build.layer({"app/big": "small"}),
    ],
    history=["FROM base", "RUN rm /app/key", "RUN cut"],
)
WAYS = {
    "docker": build.docker_save(IMAGE),
    "gzip layers": build.oci_archive(IMAGE),
    "zstd layers": build.oci_archive(IMAGE, usual="zstd"),
    "compressed as a whole": build.gz(build.docker_save(IMAGE)),
    "legacy": build.docker_save(IMAGE, "legacy"),
}


def look(path, data, **options):
    path.write_bytes(data)
    return api.load(str(path), inspectors=[inspector()], **options)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_the_same(tmp_path, way):
    image = look(tmp_path / "a", WAYS[way])
    assert "secrets" in image.inspected
    made = audit(api.analyze(image), today=TODAY)
    (key,) = found(made, "private-key")
    (token,) = found(made, "github-token")
    assert (key.path, key.fact.layer, key.fact.state, key.fact.hidden_in, key.level) == (b"app/key", 0, "deleted", 1, "error")
    assert (token.path, token.fact.layer, token.fact.state, token.fact.hidden_in) == (b"app/big", 0, "replaced", 2)
    assert token.fact.detail == "line 2, 40 characters"
    assert made.verdict == "fail"


def test_a_folder_and_a_root_file_system(tmp_path):
    folder = build.oci_layout(tmp_path / "oci", IMAGE)
    assert found(audit(api.analyze(api.load(str(folder), inspectors=[inspector()])), today=TODAY), "private-key")
    tree = build.layer({"etc/": build.Dir(), "etc/key": pem(), "bin/": build.Dir(), "bin/sh": "x"})
    packed = gzip.compress(tree, 1)
    (tmp_path / "a").write_bytes(packed)
    piped = api.load("-", stdin=io.BytesIO(tree), inspectors=[inspector()], sums=True)
    for image in (look(tmp_path / "b", tree), look(tmp_path / "c", packed), look(tmp_path / "d", packed, sums=True), piped):
        assert "secrets" in image.inspected
        made = audit(api.analyze(image), today=TODAY)
        (key,) = found(made, "private-key")
        assert (key.path, key.level) == (b"etc/key", "error")
    assert check(made, "rules.vendor-file-changed").status == "skipped"  # what passes once is not hashed for it


def test_what_lies_around_layers_leaves_no_mark(tmp_path):
    image = look(tmp_path / "a", gzip.compress(build.archive(build.docker(IMAGE) | {"README": pem().encode()}), 1))
    assert {finding.path for finding in found(audit(api.analyze(image), today=TODAY), "private-key")} == {b"app/key"}


def test_who_does_not_ask_gets_no_marks(tmp_path):
    (tmp_path / "a").write_bytes(WAYS["docker"])
    image = api.load(str(tmp_path / "a"))
    assert "secrets" not in image.inspected
    assert not any(layer.index.inspected for layer in image.layers)
    made = audit(api.analyze(image), today=TODAY)
    assert not found(made, "private-key")
    assert {check.status for check in made.checks if check.id == "rules.private-key"} == {"skipped"}


@pytest.mark.parametrize("way", ["docker", "gzip layers"])
def test_long_texts_are_cut_and_that_is_told(tmp_path, monkeypatch, way):
    monkeypatch.setattr(searching, "FIRST", 2000)
    image = look(tmp_path / "a", WAYS[way])
    assert [note.path for note in image.notes if note.id == "E08"] == [b"app/big"]
    assert not found(audit(api.analyze(image), today=TODAY), "github-token")


def test_packages_of_a_distribution_are_published_anyway(tmp_path):
    tree = {
        "var/lib/dpkg/status": "Package: x\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n",
        "var/lib/dpkg/info/x.list": "/.\n/usr\n/usr/x.pem\n/usr/z.pem\n",
        "var/lib/dpkg/info/x.md5sums": f"{hashlib.md5(pem().encode()).hexdigest()}  usr/x.pem\n{'0' * 32}  usr/z.pem\n",
        "usr/x.pem": pem(),
        "usr/y.pem": pem(),
        "usr/z.pem": pem(),
    }
    data = build.docker_save(build.Image([build.layer(tree)]))
    listed = audit(api.analyze(look(tmp_path / "a", data)), today=TODAY)
    proven = audit(api.analyze(look(tmp_path / "a", data, sums=True)), today=TODAY)
    for made, levels in ((listed, "warning error warning"), (proven, "info error error")):
        rows = {one.path: one.level for one in found(made, "private-key")}
        assert rows == dict(zip((b"usr/x.pem", b"usr/y.pem", b"usr/z.pem"), levels.split(), strict=True))


def test_no_output_shows_a_secret(tmp_path, capsys):
    lines = {path: [] for path, _, _ in SPECIMENS.values()}
    for path, text, _ in SPECIMENS.values():
        lines[path].append(text)
    image = build.Image(
        [build.layer({path: "\n".join(texts) for path, texts in lines.items()}), build.layer({})],
        history=[f"RUN curl -H 'Auth: {TOKEN}'", f"|1 NPM_TOKEN={crc_token('npm')} /bin/sh -c npm ci --password=hunter2xyz"],
        more={
            "Env": ["DB_PASSWORD=hunter2", f"T={TOKEN}"],
            "Labels": {"api_token": "hunter2", "x": TOKEN},
            "Cmd": ["x", "--token=hunter2"],
        },
    )
    path = tmp_path / "a.tar"
    made = audit(api.analyze(look(path, build.docker_save(image))), today=TODAY)
    texts = [write(made, Options()) for write in AUDIT_FORMATS.values()]
    texts.append(baseline_json(made))
    texts += [FORMATS["csv"](made.report, Options(table="security"))]
    for rule in SPECIMENS:
        assert any(finding.rule == rule for finding in made.findings), rule
    hidden = [
        "hunter2",
        TOKEN,
        crc_token("npm"),
        *(text[:40] for _, text, _ in SPECIMENS.values() if len(text) > 30 and "\n" not in text and " " not in text),
    ]
    for text in texts:
        for secret in hidden:
            assert secret not in text
    assert session.run(["audit", str(path)]) == 1
    out, err = capsys.readouterr()
    assert not any(secret in out + err for secret in hidden)


def test_report_looks_for_secrets_when_asked(tmp_path, capsys):
    path = tmp_path / "a.tar"
    path.write_bytes(WAYS["docker"])
    for words, scanned in (((), False), (("--secrets",), True)):
        assert session.run(["report", str(path), "--format", "json", *words]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["secrets_scanned"] is scanned
        assert ("private-key" in {row["id"] for row in document["security"]}) is scanned
    assert session.run(["audit", str(path), "--no-secrets"]) == 0


def test_the_fixture_leaks_its_npmrc(fixtures_dir, capsys):
    assert session.run(["audit", str(fixtures_dir / "node-app.docker.tar")]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "npmrc-auth" in out
    assert "/app/.npmrc layer 7, deleted in layer 8" in out
    assert "FAKE" not in out.upper().replace("FAKED", "")


def test_both_sieves_agree(monkeypatch):
    pytest.importorskip("re2")
    fast = sieve.sieve(SECRETS)
    monkeypatch.setattr(sieve, "_matcher", lambda _: None)
    slow = sieve.sieve(SECRETS)
    for _, text, miss in SPECIMENS.values():
        for content in (text.encode(), miss.encode()):
            assert {secret.id for secret in fast(content)} == {secret.id for secret in slow(content)}


RULES_OF_OTHERS = r"""
[allowlist]
paths = ['''vendor/''']
[[rules]]
id = "acme-key"
description = "Acme key"
regex = '''(?i)acme[_-]key\s*=\s*([a-z0-9]{16})\b'''
keywords = ["acme"]
entropy = 2.5
[rules.allowlist]
stopwords = ["zzzz"]
"""


def test_rules_of_others():
    pytest.importorskip("re2")
    rules = gitleaks.read_rules(RULES_OF_OTHERS, "g.toml")
    look = Search((), [rules])
    assert [(mark.rule, mark.title, mark.line, mark.length) for mark in look(b"a", b"x\nACME_KEY = a1b2c3d4e5f6g7h8\n")] == [
        ("acme-key", "Acme key", 2, 16)
    ]
    for path, text in (
        (b"a", b"acme_key = aaaaaaaaaaaaaaaa"),
        (b"vendor/a", b"acme_key = a1b2c3d4e5f6g7h8"),
        (b"a", b"acme_key = zzzzc3d4e5f6g7h8"),
    ):
        assert look(path, text) == ()
    for text in ("", "x = 1", "rules = 5", "[[rules]]\nid = 'a'\nregex = '('"):
        with pytest.raises(PolicyError, match=r"^g\.toml: "):
            gitleaks.read_rules(text, "g.toml")
    with pytest.raises(PolicyError, match=r"^g.toml: rule a: not a regular expression: missing \): \($"):
        gitleaks.read_rules("[[rules]]\nid = 'a'\nregex = '('\n", "g.toml")


def test_rules_of_others_need_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    with pytest.raises(ExtraMissingError, match=r"layerscope\[secrets\]"):
        gitleaks.read_rules(RULES_OF_OTHERS, "g.toml")


def test_rules_of_others_fail_the_audit(tmp_path, capsys, monkeypatch):
    pytest.importorskip("re2")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.toml").write_text(RULES_OF_OTHERS)
    (tmp_path / "a.tar").write_bytes(build.docker_save(build.Image([build.layer({"a": "acme_key = a1b2c3d4e5f6g7h8"})])))
    assert session.run(["audit", "a.tar"]) == 0
    assert session.run(["audit", "a.tar", "--secret-rules", "g.toml"]) == 1
    assert "acme-key" in capsys.readouterr().out
    rules = ("audit", "a.tar", "--secret-rules", "g.toml")
    for level, code in (("warning", 0), ("off", 0), ("error", 1)):
        (tmp_path / "layerscope.toml").write_text(f'rules = {{acme-key = "{level}"}}')
        assert session.run(rules) == code
        assert ("acme-key" in capsys.readouterr().out) == (level != "off")
    (tmp_path / "layerscope.toml").write_text('[[ignore]]\nrule = "acme-key"\npath = "/a"\nreason = "ours"')
    assert session.run(rules) == 0
    (tmp_path / "layerscope.toml").write_text('rules = {acme-kex = "off"}')
    assert session.run(rules) == 2
    assert "did you mean 'acme-key'?" in capsys.readouterr().err
    (tmp_path / "layerscope.toml").write_text('rules = {acme-key = "off"}')
    assert session.run(["audit", "a.tar"]) == 2  # without the file nobody knows the rule
