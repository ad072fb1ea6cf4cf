"""How does a test of an analysis get its report?"""

from __future__ import annotations

import tempfile
from pathlib import Path

from build import Image, docker_save, layer
from layerscope import api


def image(*layers, history=(), **config):
    """Load an image of layers (trees or tars); history rows default to RUN steps."""
    tars = [one if isinstance(one, bytes) else layer(one) for one in layers]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        path.write_bytes(docker_save(Image(tars, history=list(history), more=config)))
        return api.load(str(path))


def report(*layers, history=(), **config):
    """Report on an image of layers."""
    return api.analyze(image(*layers, history=history, **config))


def claims(made, id_=None):
    """Return {id: bytes}, or the bytes of one id."""
    found = {}
    for cause in made.causes:
        found[cause.id] = found.get(cause.id, 0) + cause.bytes
    return found if id_ is None else found.get(id_, 0)


def dpkg(*packages, automatic=()):
    """Return the tree of a dpkg database: packages are (name, depends, recommends, {path: content})."""
    status, tree = [], {}
    for name, depends, recommends, files in packages:
        lines = [f"Package: {name}", "Status: install ok installed", "Architecture: amd64", "Version: 1", "Maintainer: x"]
        lines += [f"Depends: {depends}"] if depends else []
        lines += [f"Recommends: {recommends}"] if recommends else []
        status.append("\n".join(lines) + "\n")
        tree[f"var/lib/dpkg/info/{name}.list"] = "".join(f"/{path}\n" for path in files).encode()
        tree |= files
    tree["var/lib/dpkg/status"] = "\n".join(status).encode()
    tree["var/lib/apt/extended_states"] = "\n".join(
        f"Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n" for name in automatic
    ).encode()
    return tree
