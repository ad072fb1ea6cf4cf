"""Secrets that look real and are not: made here, by the rules of those who issue them, from a fixed seed.

No whole token stands in this file, so that nobody's scanner takes it for a leak.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64encode, urlsafe_b64encode

from layerscope.secrets.checksums import base62

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def rnd(count, letters=LETTERS, seed="a"):
    """Return letters that look random."""
    data = hashlib.shake_256(seed.encode()).digest(count)
    return "".join(letters[byte % len(letters)] for byte in data)


HEX, UPPER, BASE32 = "0123456789abcdef", LETTERS[:36], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def crc_token(prefix, seed="a"):
    """Return a token as GitHub and npm write it."""
    body = rnd(30, seed=seed)
    return f"{prefix}_{body}{base62(binascii.crc32(body.encode()), 6).decode()}"


def part(document):
    return urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def jwt(alg="HS256"):
    return f"{part({'alg': alg, 'typ': 'JWT'})}.{part({'sub': 'somebody', 'iat': 1700000000})}.{rnd(43)}"


def pem(kind="RSA ", body=b"\x30\x82\x04\xa4" + bytes(range(256)) * 3):
    text = b64encode(body).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----\n"


OPENSSH = b"openssh-key-v1\0\0\0\0\4none\0\0\0\4none" + bytes(range(256))
LOCKED = b"openssh-key-v1\0\0\0\0\12aes256-ctr\0\0\0\6bcrypt" + bytes(range(256))
AWS_ID, AWS_KEY = "AKIA" + rnd(16, BASE32), rnd(38) + "a/"
# rule -> (path, content that holds it, content that nearly does)
SPECIMENS = {
    "github-token": ("a.sh", crc_token("ghp"), "ghp_" + rnd(35)),
    "github-app-token": ("a.sh", f"ghs_123456_{jwt()}", "ghs_123456_eyJ"),
    "github-fine-grained-token": ("a.sh", f"github_pat_{rnd(22)}_{rnd(59)}", f"github_pat_{rnd(22)}_{rnd(58)}"),
    "gitlab-token": ("a.sh", f"glpat-{rnd(20)}", f"glpat-{rnd(19)}"),
    "aws-access-key": ("a.sh", f"{AWS_ID}\n{AWS_KEY}\n", f"{AWS_ID[:-1]}1 {AWS_KEY}"),
    "slack-token": ("a.sh", f"xoxb-{'2' * 6}345678-{rnd(24)}", f"xoxb-{rnd(24)}"),
    "slack-webhook": ("a.sh", f"https://hooks.slack.com/services/T{rnd(9, UPPER)}/B{rnd(9, UPPER)}/{rnd(24)}", "https://hooks.slack.com/services/T0/B0/x"),
    "stripe-key": ("a.sh", f"sk_live_{rnd(24)}", f"sk_test_{rnd(24)}"),
    "npm-token": ("a.sh", crc_token("npm"), "npm_" + rnd(37)),
    "pypi-token": ("a.sh", f"pypi-AgEIcHlwaS5vcmc{rnd(60)}", f"pypi-AgEIcHlwaS5vcmc{rnd(40)}"),
    "google-api-key": ("a.js", f"AIza{rnd(35)}", f"AIza{rnd(36)}"),
    "google-oauth-secret": ("a.js", f"GOCSPX-{rnd(28)}", f"GOCSPX-{rnd(27)}"),
    "google-oauth-token": ("a.js", f"ya29.{rnd(60)}", f"ya29.{rnd(40)}"),
    "jwt": ("a.js", jwt(), jwt("none")),
    "azure-client-secret": ("a.js", f"{rnd(3)}8Q~{rnd(34)}", f"{rnd(3)}xQ~{rnd(34)}"),
    "sendgrid-key": ("a.js", f"SG.{rnd(22)}.{rnd(43)}", f"SG.{rnd(22)}.{rnd(42)}"),
    "mailchimp-key": ("a.js", f"{rnd(32, HEX)}-us12", f"{rnd(31, HEX)}-us12"),
    "mailgun-key": ("a.js", f"key-{rnd(32, HEX)}", f"monkey-{rnd(32, HEX)}"),
    "telegram-token": ("a.js", f"987654321:AA{rnd(33)}", f"987:AA{rnd(33)}"),
    "discord-webhook": ("a.js", f"https://discord.com/api/webhooks/{'9' * 8}{'8' * 10}/{rnd(68)}", "https://discord.com/api/webhooks/1/x"),
    "openai-key": ("a.js", f"sk-proj-{rnd(40)}T3BlbkFJ{rnd(40)}", f"sk-T3BlbkFJ{rnd(40)}"),
    "anthropic-key": ("a.js", f"sk-ant-api03-{rnd(93)}", f"sk-ant-api03-{rnd(30)}"),
    "huggingface-token": ("a.py", f"hf_{rnd(34, LETTERS[10:])}", f"hf_{rnd(33, LETTERS[10:])}"),
    "docker-hub-token": ("a.py", f"dckr_pat_{rnd(27)}", f"dckr_pat_{rnd(20)}"),
    "digitalocean-token": ("a.py", f"dop_v1_{rnd(64, HEX)}", f"dop_v1_{rnd(63, HEX)}"),
    "shopify-token": ("a.py", f"shpat_{rnd(32, HEX)}", f"shpat_{rnd(31, HEX)}"),
    "square-token": ("a.py", f"sq0csp-{rnd(43)}", f"sq0csp-{rnd(42)}"),
    "databricks-token": ("a.py", f"dapi{rnd(32, HEX)}", f"dapi{rnd(33, HEX)}"),
    "linear-key": ("a.py", f"lin_api_{rnd(40)}", f"lin_api_{rnd(39)}"),
    "postman-key": ("a.py", f"PMAK-{rnd(24, HEX)}-{rnd(34, HEX)}", f"PMAK-{rnd(24, HEX)}-{rnd(33, HEX)}"),
    "pulumi-token": ("a.py", f"pul-{rnd(40, HEX)}", f"pul-{rnd(41, HEX)}"),
    "terraform-token": ("a.tf", f"{rnd(14)}.atlasv1.{rnd(67)}", f"{rnd(13)}.atlasv1.{rnd(67)}"),
    "vault-token": ("a.tf", f"hvs.{rnd(90)}", f"hvs.{rnd(20)}"),
    "grafana-token": ("a.tf", f"glsa_{rnd(32)}_{rnd(8, HEX)}", f"glsa_{rnd(32)}_{rnd(7, HEX)}"),
    "rubygems-key": ("a.rb", f"rubygems_{rnd(48, HEX)}", f"rubygems_{rnd(47, HEX)}"),
    "sentry-token": ("a.rb", f"sntrys_eyJ{rnd(80)}", f"sntrys_{rnd(80)}"),
    "new-relic-key": ("a.rb", f"NRAK-{rnd(27, UPPER)}", f"NRAK-{rnd(26, UPPER)}"),
    "age-key": ("a.txt", f"AGE-SECRET-KEY-1{rnd(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}", f"AGE-SECRET-KEY-1{rnd(57, 'QPZRY9X8')}"),
    "atlassian-token": ("a.txt", f"ATATT3{rnd(180)}=ABCDEF01", f"ATATT3{rnd(180)}"),
    "doppler-token": ("a.txt", f"dp.pt.{rnd(43)}", f"dp.pt.{rnd(20)}"),
    "private-key": ("etc/x.pem", pem(), "-----BEGIN RSA PRIVATE KEY-----\nMII...\n-----END RSA PRIVATE KEY-----\n"),
    "encrypted-private-key": (
        "etc/x.pem", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n", "Proc-Type: 4,ENCRYPTED\n",
    ),
    "pgp-private-key": (
        "a.asc", f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{rnd(300)}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
        f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{rnd(300)}\n-----END PGP PUBLIC KEY BLOCK-----",
    ),
    "putty-key": (
        "a.ppk", f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 1\n{rnd(64)}\nPrivate-Lines: 1\nAAAA",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nPrivate-Lines: 1\n",
    ),
    "gcp-service-account": (
        "k.json", json.dumps({"type": "service_account", "private_key": pem("")}, indent=1), '{"type": "service_account", "private_key": null}',
    ),
    "aws-secret-key": ("root/.aws/credentials", f"aws_secret_access_key = {AWS_KEY}", f"aws_secret_access_key = {AWS_KEY}0"),
    "azure-storage-key": ("a.cs", f"AccountKey={rnd(86)}==;", f"AccountKey={rnd(85)}==;"),
    "docker-auth": (
        "root/.docker/config.json", json.dumps({"auths": {"r": {"auth": b64encode(b"joe:hunter2").decode()}}}), '{"auths": {"r": {"auth": "YWJjZGVmZ2g="}}}',
    ),
    "npmrc-auth": ("root/.npmrc", f"//r/:_authToken={rnd(36)}", "//r/:_authToken=${NPM_TOKEN}"),
    "netrc-password": ("root/.netrc", "machine a login b password hunter2", "machine a login b password $PASS"),
    "pypirc-password": ("root/.pypirc", "[pypi]\nusername = a\npassword = hunter2", "[pypi]\npassword = <password>"),
    "kubeconfig-key": ("root/.kube/config", f"client-key-data: LS0tLS1CRUdJTi{rnd(120)}", "client-key-data: REDACTED"),
    "wireguard-key": ("etc/wg0.conf", f"PrivateKey = {rnd(43)}=", f"PublicKey = {rnd(43)}="),
    "htpasswd-hash": ("etc/.htpasswd", f"joe:$apr1${rnd(8)}${rnd(22)}", "joe:$"),
    "url-credentials": ("etc/app.conf", "db=postgres://joe:hunter2@db.local/app", "db=postgres://joe:${PASS}@db.local/app postgres://joe@db:5432/x@y"),
    "dotenv-secret": ("app/.env", "A=1\nDB_PASSWORD=hunter2\n", "DB_PASSWORD=changeme\nDB_PASSWORD=\nTOKENS=5\n#X_TOKEN=$X"),
}  # fmt: skip
