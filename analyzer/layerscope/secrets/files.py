"""Which keys and credentials does one know by what stands around them?"""

from __future__ import annotations

from layerscope.secrets.checksums import holds_key, is_basic_auth, is_service_account
from layerscope.secrets.secret import Secret

_DOTENV = (b"/.env", b".env", b"/.envrc", b"/environment", b"/.profile", b"/.bashrc", b"/.bash_profile", b"/.zshrc")
_NEW_KEY = "Make a new key, and take this one's public half out of every place that trusts it."

FILES: tuple[Secret, ...] = (
    Secret(
        "private-key",
        "private key",
        (b"PRIVATE KEY-----",),
        (
            rb"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----(?P<body>(?:\\[nr]|[A-Za-z0-9+/=\s]){40,20000})"
            rb"-----END (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----"
        ),
        proof=holds_key,
        doubt="warning",
        lead=29,
        why="Whoever has the image can pass for its owner, and read what was encrypted for it.",
        fix=_NEW_KEY,
        severity=9.0,
    ),
    Secret(
        "encrypted-private-key",
        "private key with a passphrase",
        (b"PRIVATE KEY-----",),
        rb"-----BEGIN [A-Z]{2,8} PRIVATE KEY-----\s{1,4}Proc-Type: 4,ENCRYPTED",
        level="warning",
        lead=40,
        why="Whoever has the image can guess at the passphrase for as long as they like.",
        fix=_NEW_KEY,
        severity=5.5,
    ),
    Secret(
        "pgp-private-key",
        "PGP private key",
        (b"PGP PRIVATE KEY BLOCK",),
        rb"-----BEGIN PGP PRIVATE KEY BLOCK-----(?:[^-]|-(?!----)){200,60000}-----END PGP PRIVATE KEY BLOCK-----",
        lead=11,
        fix="gpg --gen-revoke, and a new key.",
        severity=9.0,
    ),
    Secret(
        "putty-key",
        "PuTTY private key",
        (b"PuTTY-User-Key-File-",),
        rb"PuTTY-User-Key-File-[23]: [\w-]{3,40}\s{1,2}Encryption: none\s[\x20-\x7e\s]{20,2000}?Private-Lines: \d",
        fix=_NEW_KEY,
        severity=9.0,
    ),
    Secret(
        "gcp-service-account",
        "key file of a Google service account",
        (b'"service_account"',),
        rb'"type"\s{0,20}:\s{0,20}"service_account"',
        proof=is_service_account,
        lead=48,
        fix="gcloud iam service-accounts keys delete",
        severity=9.0,
    ),
    Secret(
        "aws-secret-key",
        "AWS secret key",
        (b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY", b"SecretAccessKey"),
        (
            rb"(?:aws_secret_access_key|AWS_SECRET_ACCESS_KEY|SecretAccessKey)[\"']?\s{0,8}[=:]\s{0,8}[\"']?"
            rb"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
        fix="aws iam delete-access-key",
        severity=9.0,
    ),
    Secret(
        "azure-storage-key",
        "Azure storage key",
        (b"AccountKey=", b"SharedAccessKey="),
        rb"(?:AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)|SharedAccessKey=[A-Za-z0-9+/]{43}=)",
        fix="az storage account keys renew",
        severity=9.0,
    ),
    Secret(
        "docker-auth",
        "login of a registry",
        (b'"auth"',),
        rb'"auth"\s{0,20}:\s{0,20}"(?P<secret>[A-Za-z0-9+/]{8,2000}={0,2})"',
        proof=is_basic_auth,
        names=(b"config.json", b".dockercfg", b".dockerconfigjson", b"auth.json"),
        fix="docker logout, and a new password.",
    ),
    Secret(
        "npmrc-auth",
        "login of an npm registry",
        (b"_authToken", b"_auth", b"_password"),
        rb"_(?:authToken|auth|password)\s{0,8}=\s{0,8}[\"']?(?P<secret>[^\s\"']{6,2000})",
        names=(b"npmrc", b".yarnrc"),
        fix="npm token revoke",
    ),
    Secret(
        "netrc-password",
        "password in a .netrc",
        (b"password",),
        rb"(?<!\w)password\s{1,20}(?P<secret>[^\s#]{1,300})",
        names=(b"/.netrc", b"/_netrc"),
        fix="Change the password.",
    ),
    Secret(
        "pypirc-password",
        "password of a package index",
        (b"password",),
        rb"(?<!\w)password\s{0,20}[:=]\s{0,20}(?P<secret>[^\s#]{1,2000})",
        names=(b"/.pypirc", b"/.my.cnf", b"/.s3cfg"),
        fix="Change the password.",
    ),
    Secret(
        "kubeconfig-key",
        "client key of a Kubernetes cluster",
        (b"client-key-data:",),
        rb"client-key-data:\s{0,8}[\"']?(?P<secret>LS0tLS1CRUdJTi[A-Za-z0-9+/]{100,20000}={0,2})",
        fix="Make a new client certificate.",
        severity=9.0,
    ),
    Secret(
        "wireguard-key",
        "WireGuard private key",
        (b"PrivateKey",),
        rb"(?<!\w)PrivateKey\s{0,8}=\s{0,8}(?P<secret>[A-Za-z0-9+/]{43}=)",
        fix="wg genkey, and tell the peers.",
    ),
    Secret(
        "htpasswd-hash",
        "hash of a web server's password",
        (b":$apr1$", b":$2y$", b":$2a$", b":$2b$", b":$5$", b":$6$", b":$y$", b":{SHA}"),
        (rb"(?<![^\n])[\w.@-]{1,100}:(?P<secret>\$(?:apr1|2[aby]|5|6|y)\$[\x21-\x7e]{20,200}|\{SHA\}[A-Za-z0-9+/=]{28})"),
        level="warning",
        lead=101,
        names=(b"htpasswd", b".htpasswd"),
        why="Whoever has the image can guess at the password for as long as they like.",
        fix="Mount the file when the container starts.",
        severity=5.5,
    ),
    Secret(
        "url-credentials",
        "password in an address",
        (b"://",),
        (
            rb"(?<![A-Za-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>(){}\[\]$%*|\\`,;]{0,80}:(?P<secret>[^\s/:@\"'<>(){}\[\]$*|\\`,;]{3,200})"
            rb"@(?P<host>[A-Za-z0-9.-]{1,200})"
        ),
        level="warning",
        lead=21,
        hint=rb"://[^\s/:@]*:[^\s/:@]{3,}@",
        fix="Change the password; hand the address over when the container starts.",
        severity=7.0,
    ),
    Secret(
        "dotenv-secret",
        "secret in a file of settings",
        (b"PASSWORD", b"PASSWD", b"SECRET", b"TOKEN", b"API_KEY", b"APIKEY"),
        (
            rb"(?<![^\s;])(?P<name>[A-Za-z_][A-Za-z0-9_]{0,60}?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY)|(?:PASSWORD|PASSWD|SECRET|TOKEN))"
            rb"[ \t]{0,4}=[ \t]{0,4}(?P<secret>\"[^\"\n]{1,400}\"|'[^'\n]{1,400}'|[^\s\"'#;][^\s#;]{0,400})"
        ),
        lead=62,
        names=_DOTENV,
        fix="Hand it over when the container starts (--env-file, a secret), and change it.",
    ),
)
