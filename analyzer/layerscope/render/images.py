"""Which images does an archive hold, in each format?"""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.frozen import frozen
from layerscope.render.document import SCHEMA_VERSION, clean, write_json
from layerscope.render.escape import defuse, terminal
from layerscope.render.options import Options
from layerscope.render.rows import Object
from layerscope.render.tables import write_csv


@frozen
class ImageRow:
    """One image of an archive; `layout` is how the archive tells of it: "docker", "oci"."""

    names: tuple[str, ...]
    platform: str | None
    config_digest: str | None
    layers: int | None
    complete: bool | None
    layout: str | None


def images_text(_source: str, images: Sequence[ImageRow], _options: Options) -> str:
    """Return one line a name; the name comes last and is never cut, so that it can be copied."""
    from tabulate import tabulate

    rows = [
        (image.platform or "?", _count(image.layers), _state(image), _digest(image), name)
        for image in images
        for name in image.names or ("(no name)",)
    ]
    table = tabulate(
        [("platform", "layers", "state", "config", "name"), *(tuple(map(terminal, row)) for row in rows)],
        tablefmt="plain",
        disable_numparse=True,
        colalign=("left", "right", "left", "left", "left"),
    )
    return "\n".join(defuse(line.rstrip()) for line in table.splitlines()) + "\n" if images else "no image\n"


def images_json(source: str, images: Sequence[ImageRow], _options: Options) -> str:
    """Return the images' document as text."""
    return write_json(images_document(source, images))


def images_document(source: str, images: Sequence[ImageRow]) -> Object:
    """Return the images as schema 1 says it."""
    return clean(
        {
            "schema_version": SCHEMA_VERSION,
            "source": source,
            "images": [
                {
                    "names": list(image.names),
                    "platform": image.platform,
                    "config_digest": image.config_digest,
                    "layers": image.layers,
                    "complete": image.complete,
                    "layout": image.layout,
                }
                for image in images
            ],
        }
    )


def images_csv(_source: str, images: Sequence[ImageRow], _options: Options) -> str:
    """Return the images, one row a name."""
    rows = [
        (name, image.platform, image.layers, image.config_digest, _state(image), image.layout)
        for image in images
        for name in image.names or (None,)
    ]
    return write_csv([("name", "platform", "layers", "config_digest", "state", "layout"), *rows])


def _count(layers: int | None) -> str:
    return "?" if layers is None else str(layers)


def _state(image: ImageRow) -> str:
    return {True: "complete", False: "incomplete", None: "?"}[image.complete]


def _digest(image: ImageRow) -> str:
    return (image.config_digest or "?").removeprefix("sha256:")[:12]
