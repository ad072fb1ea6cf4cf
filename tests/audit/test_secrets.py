"""Secrets by content: each kind, and what is nearly one."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.audit import RULES
from layerscope.secrets import SECRETS, inspector
from layerscope.secrets import search as searching
from layerscope.secrets.masks import mask
from layerscope.secrets.search import Search

from audit.conftest import check, found
from audit.secrets_specimens import AWS_ID, AWS_KEY, LOCKED, OPENSSH, SPECIMENS, crc_token, jwt, pem, rnd

inspect = Search()


def look(path, text):
    return {mark.rule: mark for mark in inspect(path.encode(), text if isinstance(text, bytes) else text.encode())}


def test_there_are_about_forty_and_each_has_a_specimen():
    assert {secret.id for secret in SECRETS} == SPECIMENS.keys()
    assert {secret.id for secret in SECRETS} <= {rule.id for rule in RULES}
    assert len(SECRETS) >= 40


@pytest.mark.parametrize("rule", SPECIMENS)
def test_it_is_found(rule):
    path, text, _ = SPECIMENS[rule]
    (declared,) = [secret for secret in SECRETS if secret.id == rule]
    mark = look(path, f"first line\n{text}\n")[rule]
    assert mark.level == declared.level
    assert mark.line >= 2
    assert f"first line\n{text}".encode()[mark.offset : mark.offset + mark.length].strip()


@pytest.mark.parametrize("rule", SPECIMENS)
def test_a_near_miss_is_not(rule):
    path, _, text = SPECIMENS[rule]
    assert rule not in look(path, f"first line\n{text}\n")


@pytest.mark.parametrize("rule", SPECIMENS)
def test_an_image_in_which_it_fires_and_one_in_which_it_just_does_not(judge, rule):
    path, text, miss = SPECIMENS[rule]
    (declared,) = [one for one in RULES if one.id == rule]
    asked = {"inspectors": [inspector()]}
    made = judge({path: text}, build.tar(build.whiteout(path)), load=asked)
    assert (found(made, rule)[0].fact.layer, found(made, rule)[0].fact.hidden_in) == (0, 1)
    assert found(made, rule)[0].level == declared.level
    assert check(made, f"rules.{rule}").status == ("fail" if declared.level == "error" else "pass")
    assert found(judge({path: miss}, load=asked), rule) == []


def test_all_rules_for_secrets_have_their_specimen():
    assert {rule.id for rule in RULES if "secret" in rule.tags} == SPECIMENS.keys()


@pytest.mark.parametrize("rule", SPECIMENS)
def test_marks_do_not_hold_the_secret(rule):
    path, text, _ = SPECIMENS[rule]
    for mark in look(path, f"first line\n{text}\n").values():
        assert len(mark.print) == 8
        assert not re.search(r"hunter2|" + re.escape(text[:12]), repr(mark))


@pytest.mark.parametrize("rule", [rule for rule in SPECIMENS if rule not in ("htpasswd-hash", "dotenv-secret")])
def test_words_around_do_not_matter(rule):
    path, text, _ = SPECIMENS[rule]
    if not text.startswith(("PuTTY", "db=", "machine", "[", "//", "{", "client", "aws", "A")):
        assert rule in look(path, f'export const x = "{text}";')


def test_a_wrong_checksum_is_only_a_warning():
    assert look("a", crc_token("ghp"))["github-token"].level == "error"
    assert look("a", f"ghp_{rnd(36)}")["github-token"].level == "warning"
    assert look("a", f"x {AWS_ID} y")["aws-access-key"].level == "warning"
    assert look("a", f"{AWS_ID} {AWS_KEY}")["aws-access-key"].level == "error"


@pytest.mark.parametrize(
    ("kind", "body", "level"),
    [
        ("OPENSSH ", OPENSSH, "error"),
        ("OPENSSH ", LOCKED, "warning"),
        ("ENCRYPTED ", b"\x30\x82" + bytes(100), "warning"),
        ("EC ", b"\x30\x77" + bytes(range(119)), "error"),
        ("", b"\x30\x81\x87" + bytes(range(130)), "error"),
        ("RSA ", b"nothing that a key begins with, but long", "warning"),
    ],
)
def test_private_keys(kind, body, level):
    assert look("root/x", pem(kind, body))["private-key"].level == level
    assert look("root/x", pem(kind, body).replace("\n", "\\n"))["private-key"].level == level
    assert look("root/x", pem(kind, body).replace("\n", "\r\n"))["private-key"].level == level


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("app/key.pem", "error"),
        ("app/test/key.pem", "warning"),
        ("usr/share/doc/x/README.md", "warning"),
        ("app/node_modules/x/key.pem", "warning"),
        ("app/node_modules/x/test/key.pem", "info"),
        ("app/README", "warning"),
        ("latest/key.pem", "error"),
    ],
)
def test_the_place_lowers_the_level(path, level):
    assert look(path, pem())["private-key"].level == level


def test_examples_are_told_apart():
    assert look("app/x.js", "AKIAIOSFODNN7EXAMPLE " + AWS_KEY)["aws-access-key"].level == "info"
    assert look("app/x.js", "npm_" + "FAKEfake" * 4 + "FAKE")["npm-token"].level == "info"
    # In a file that is meant to hold one, a reviewer should look all the same.
    assert look("app/.npmrc", "//r/:_authToken=npm_" + "FAKEfake" * 4 + "FAKE")["npmrc-auth"].level == "error"
    assert look("root/.env", "DB_PASSWORD=hunter2test")["dotenv-secret"].level == "error"
    assert look("x", "https://user:password@example.com") == {}
    assert look("root/.git-credentials", "https://joe:hunter2@github.com")["url-credentials"].level == "error"


def test_binary_files_are_left_alone():
    asked = inspector()
    assert not asked.opens(b"\0" + pem().encode())
    assert asked.opens(b"x" * 10000)
    assert not asked.wants(b"a", 0, 7)


def test_other_rules_have_another_version():
    versions = {inspector().version, inspector(SECRETS[1:]).version, inspector(SECRETS, [SimpleNamespace(version="1")]).version}
    assert len(versions) == 3
    assert inspector().version == inspector().version


def test_the_same_content_is_looked_at_once(monkeypatch):
    calls = []
    monkeypatch.setattr(searching, "search", lambda content, secrets: calls.append(1) or ())
    fresh = Search(tuple(secret for secret in SECRETS if not secret.names))
    for number in range(3):
        fresh(f"a{number}".encode(), b"the same words://")
    assert len(calls) == 1 + 2  # once for the content, and for each name its own rules, of which there are none


def test_at_most_a_hundred_marks():
    text = "\n".join(crc_token("ghp", str(number)) for number in range(300))
    assert len(inspect(b"a", text.encode())) == 100


@given(st.binary(max_size=300), st.sampled_from(sorted(SPECIMENS)), st.binary(max_size=300))
def test_no_content_is_an_error(before, rule, after):
    path, text, miss = SPECIMENS[rule]
    for marks in (
        inspect(path.encode(), before + text.encode() + after),
        inspect(path.encode(), before + miss.encode() + after),
    ):
        assert marks == tuple(sorted(marks, key=lambda mark: mark.offset))


HOSTILE = {
    "literals": b" ".join(literal for secret in SECRETS for literal in secret.literals) * 40,
    "jwt": b"eyJ" * 300_000,
    "jwt words": b"eyJaaaaaaaaaa.eyJaaaaaaaaaa. " * 30_000,
    "pem": b"-----BEGIN RSA PRIVATE KEY-----\n" * 30_000,
    "pem body": b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 1_000_000,
    "urls": b"a://a:" * 150_000,
    "long urls": b"aaaaaaaaaaaaaaaaaaaaa" * 50_000 + b"://" * 10_000,
    "urls with passwords": b"http://a:bbbbbbbbbbbbbbbbbbbbb " * 30_000,
    "names": b"A_" * 400_000 + b"PASSWORD" * 10_000,
    "tokens": b"TOKEN=" * 150_000,
    "spaces": b'"type"' + b" " * 500_000 + b'"service_account"' * 1000,
    "pgp": b"-----BEGIN PGP PRIVATE KEY BLOCK-----" * 20_000,
    "putty": b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n" * 15_000,
    "openai": b"sk-" * 20_000 + b"T3BlbkFJ" * 20_000,
    "q~": b"abc1Q~" * 100_000,
    "auth": b'"auth":' * 100_000,
    "hash": b"a:$6$" * 100_000,
    "ATATT3": b"ATATT3" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_takes_linear_time(name):
    start = time.process_time()
    for path in (b"root/.env", b"root/.npmrc", b"root/.netrc", b"root/.docker/config.json", b".htpasswd"):
        Search()(path, HOSTILE[name][:200_000])
    assert time.process_time() - start < 10


def test_secrets_in_the_config(judge):
    token = crc_token("ghp")
    made = judge(
        {},
        {},
        more={"Env": [f"X={token}"], "Labels": {"y": f"{jwt()}"}},
        history=[f"RUN curl -H 'Authorization: {token}z'", f"RUN git clone https://joe:hunter2@git.local/x {crc_token('npm')}"],
    )
    details = {
        (one.rule, one.fact.detail, one.level) for one in made.findings if one.rule.endswith(("token", "jwt", "credentials"))
    }
    assert details == {
        ("github-token", "ENV X", "error"),
        ("jwt", "label y", "warning"),
        ("npm-token", "row 1 of the history", "error"),
        ("url-credentials", "row 1 of the history", "warning"),
    }
    assert made.verdict == "fail"
    assert found(made, "npm-token")[0].fact.layer == 1


@pytest.mark.parametrize("rule", [rule for rule in SPECIMENS if not {s.id: s.names for s in SECRETS}[rule]])
def test_what_is_shown_is_masked(rule):
    text = SPECIMENS[rule][1]
    shown = mask(f"RUN x {text} y")
    assert "***" in shown
    (mark,) = [mark for mark in inspect(b"x", text.encode()) if mark.rule == rule] or [None]
    if mark is not None:
        assert text.encode()[mark.offset : mark.offset + mark.length].decode() not in shown


def test_masks_of_assignments():
    assert mask("RUN TOKEN=abc x --password='a b' A=1") == "RUN TOKEN=*** x --password=*** A=1"
    assert mask("ARG NPM_TOKEN") == "ARG NPM_TOKEN"
    assert mask("RUN --token=$TOKEN") == "RUN --token=$TOKEN"
