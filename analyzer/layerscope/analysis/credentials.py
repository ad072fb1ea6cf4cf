"""Which files say by their very names that they hold a key or a password?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.columns import ending, where
from layerscope.model import ONLY_FILES, LayerIndex
from layerscope.regex import regex

_KEY, _CREDENTIAL, _HISTORY, _HOST = "key-file", "credential-file", "shell-history", "ssh-host-key"
TITLES = {
    _KEY: "its name says that it holds a private key",
    _CREDENTIAL: "its name says that it holds credentials",
    _HISTORY: "what somebody typed while the image was built",
    _HOST: "every container of this image has the same ssh host key",
}
NAMES: dict[bytes, str] = {
    **dict.fromkeys(b"id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk".split(), _KEY),
    **dict.fromkeys(
        b".npmrc .netrc _netrc .git-credentials .pgpass .pypirc .htpasswd .env .dockercfg .s3cfg .boto .my.cnf .yarnrc.yml "
        b".vault-token .terraformrc terraform.tfstate credentials.json credentials.db application_default_credentials.json "
        b"kubeconfig master.key".split(),
        _CREDENTIAL,
    ),
    **dict.fromkeys(
        b".bash_history .zsh_history .ash_history .sh_history .python_history .mysql_history .psql_history".split(), _HISTORY
    ),
}
ENDS: dict[bytes, str] = {
    **dict.fromkeys((b".key", b".ppk", b".p12", b".pfx", b".jks", b".keystore"), _KEY),
    **dict.fromkeys(
        (
            b"/.aws/credentials",
            b"/.docker/config.json",
            b"/.kube/config",
            b"/.gem/credentials",
            b"/.cargo/credentials",
            b"/.cargo/credentials.toml",
            b"/.composer/auth.json",
            b"/.config/gcloud/credentials.db",
            b"/.azure/accessTokens.json",
            b"/.config/gh/hosts.yml",
            b"/.pip/pip.conf",
            b"/.m2/settings.xml",
        ),
        _CREDENTIAL,
    ),
}
_TAILS = (*NAMES, *ENDS, b"_key")
_HOST_KEY = regex(rb"(?:^|/)etc/ssh/ssh_host_[a-z0-9]+_key$")
# Folders of examples, tests and trust stores: what lies there is nobody's secret, as a rule.
_HARMLESS = regex(rb"(?:^|/)(?:tests?|testdata|__tests__|fixtures|examples?|docs?|demos?|spec)/")
# Brought by a package that others wrote. An application's own folder may be a package as well: that one is no excuse.
_INSTALLED = regex(rb"(?:^|/)(?:node_modules|site-packages|dist-packages)/")


def find_credentials(index: LayerIndex, position: int, ground: Ground) -> Iterator[Exposure]:
    """Return the files of one layer whose names say key, credential or history; contents are not read."""
    start = ground.stack.starts[position]
    for row in where(ending(index.paths, _TAILS, index.kinds.translate(ONLY_FILES))):
        path = index.paths[row]
        if not index.sizes[row]:
            continue
        id_ = kind_of(path)
        if id_ is None:
            continue
        package = ground.owner(start + row)
        state, hidden = ground.state(start + row)
        level = _level(id_, path, published=ground.publisher(start + row) is not None, owned=package is not None)
        yield Exposure(id_, level, TITLES[id_], path, position, state, hidden, package)


def kind_of(path: bytes) -> str | None:
    """Return the id of what a path's name tells, None if it tells nothing."""
    if _HOST_KEY.search(path):
        return _HOST
    name = path[path.rfind(b"/") + 1 :]
    if name in NAMES:
        return NAMES[name]
    return next((id_ for end, id_ in ENDS.items() if (b"/" + path).endswith(end) and name != end), None)


def _level(id_: str, path: bytes, *, published: bool, owned: bool) -> str:
    if id_ == _HOST:
        return "error"
    if published or (owned and _INSTALLED.search(path)):
        return "info"
    return "info" if _HARMLESS.search(path) else "warning"
