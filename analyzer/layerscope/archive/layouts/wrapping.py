"""Does the image lie in a folder of the outer tar (`tar -cf image.tar layout`), not at its top? Other tools refuse that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from layerscope.archive.container.base import Container
from layerscope.archive.container.inplace import TarFile
from layerscope.archive.container.passing import PassingTar
from layerscope.archive.documents import objects, parse
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError

NAMES = (b"manifest.json", b"index.json")
DEEPEST = 16
TRIED = 64


def unwrap(container: Container) -> None:
    """Take the folder that all of an outer tar lies in for its top, if it is an image's (A20).

    What lies beside that folder, be it an empty one, makes the tar something else, as does a document of another program.
    """
    if not isinstance(container, TarFile | PassingTar) or not container.stored:
        return
    for folder in _folders(container.stored[0].name):
        if _describes_image(container, folder) and _holds_all(container.index.paths, folder):
            container.enter(folder)
            container.notes.warn(
                "A20", "the image lies in a folder of the archive, where docker load and skopeo do not look", path=folder
            )
            return


def find_image(container: Container) -> bytes | None:
    """Return the first folder of a container that holds an image, None if there is none."""
    named = (name.rpartition(b"/") for name in container.members)
    folders = (folder for folder, _, base in named if base in NAMES)
    return next((folder for folder in islice(folders, TRIED) if _describes_image(container, folder)), None)


def _folders(name: bytes) -> Iterator[bytes]:
    """Yield the folders that a name stands in, from the top."""
    parts = name.split(b"/", DEEPEST + 1)[:-1]
    for count in range(1, min(len(parts), DEEPEST) + 1):
        yield b"/".join(parts[:count])


def _holds_all(paths: list[bytes], folder: bytes) -> bool:
    """Whether nothing but the folders on the way lies outside of a folder."""
    front = folder + b"/"
    return all(path.startswith(front) or front.startswith(path + b"/") or not path for path in paths)


def _describes_image(container: Container, folder: bytes) -> bool:
    """Whether a folder holds a document that tells of images: many programs have a manifest.json."""
    for name in NAMES:
        member = container.members.get(folder + b"/" + name)
        if member is not None:
            with suppress(ArchiveError):
                data = parse(container.read(member), "a document", container.settings.limits, Notebook())
                if isinstance(data, dict) and "schemaVersion" in data and data.keys() & {"manifests", "layers", "fsLayers"}:
                    return True
                if any("Layers" in row and "Config" in row for row in objects(data)):
                    return True
    return False
