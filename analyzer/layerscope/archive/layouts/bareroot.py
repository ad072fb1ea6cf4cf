"""What is an archive without an image: a root file system, or what else?"""

from __future__ import annotations

from dataclasses import replace

from layerscope.archive.container.base import Container
from layerscope.archive.container.inplace import TarFile
from layerscope.archive.container.passing import PassingTar
from layerscope.archive.elsewhere import look_elsewhere
from layerscope.archive.images import Pool, compare
from layerscope.archive.layouts.candidate import Found
from layerscope.archive.layouts.filetypes import HEAD, name_bytes
from layerscope.archive.layouts.wrapping import find_image
from layerscope.archive.notebook import Notebook
from layerscope.archive.scan import Scan
from layerscope.archive.storage import divide
from layerscope.archive.tar.folders import pass_over_deep
from layerscope.errors import ArchiveError
from layerscope.model import Config, Image, Layer, LayerIndex

ABOUT_THE_WHOLE = frozenset(("A35", "A54", "C55", "D03", "E08"))


def root_file_system(container: Container, pool: Pool | None = None) -> Image:
    """Read the container itself as one layer (`docker export`, A35), or say what it is if it is no root file system."""
    scan = None
    if isinstance(container, (TarFile, PassingTar)):
        scan = _root_scan(container)
    if scan is None:
        raise ArchiveError(f"{container.called} holds no image: no manifest.json, no index.json", id="A36")
    layer = Layer(
        position=0,
        digest=None,
        diff_id=None,
        media_type=None,
        compression="none",
        blob_bytes=scan.index.tar_bytes,
        descriptor_bytes=None,
        instruction="root file system",
        created_by=None,
        created=None,
        index=scan.index,
    )
    notes = Notebook()
    look_elsewhere(container, [None], [layer], notes)
    labels = compare(container, [None], [layer], pool)
    notes.info("A35", "a root file system without an image around it (docker export?), read as one layer")
    for note in scan.index.notes:
        notes.add(note.id, note.level, note.message, path=note.path, offset=note.offset, layer=0)
    told = {note.id for note in scan.index.notes}
    notes.extend(tuple(note for note in container.notes.freeze() if note.id in ABOUT_THE_WHOLE and note.id not in told))
    pass_over_deep(scan.index, container.settings.limits, notes, 0)
    return Image(
        source=container.source,
        layout="rootfs",
        names=(),
        config=Config(),
        config_digest=None,
        manifest_digest=None,
        layers=(layer,),
        history=(),
        storage=replace(
            divide(container, Found(()), None, notes), blob_bytes=scan.index.tar_bytes, orphan_bytes=0, container_bytes=0
        ),
        notes=notes.freeze(),
        inspected=(container.inspectors if isinstance(container, PassingTar) else container.settings.inspectors).names,
        labels=labels,
    )


def _root_scan(container: TarFile | PassingTar) -> Scan | None:
    index: LayerIndex = container.index
    if not len(index):
        head = container.head if isinstance(container, PassingTar) else container.buffer[:HEAD]
        if isinstance(container, PassingTar) and container.compressed:
            why = index.notes[0].message.removeprefix("not a tar: ").partition(" at byte ")[0] if index.notes else "nothing"
            raise ArchiveError(f"{container.called} is compressed, and holds no tar: {why}", id="A36")
        if not head:
            raise ArchiveError(f"{container.called} is empty: 0 bytes", id="A36")
        what = name_bytes(head)
        if what == "a file of zeros":
            what = "an empty tar"
        rest = "" if what.startswith("no ") else ", not a container image"
        raise ArchiveError(f"{container.called} is {what}{rest}", id="A36")
    if container.rootlike():
        return container.rootfs()
    tops = {path.partition(b"/")[0] for path in index.paths if path}
    early = container.ended_early()
    if early is not None:
        told = f"{container.called} could be read only in part, without manifest.json or index.json in it: {early.message}"
        raise ArchiveError(told, id=early.id)
    if any(path.endswith(b"/Chart.yaml") for path in index.paths):
        raise ArchiveError(f"{container.called} is a Helm chart, not a container image", id="A36")
    shown = ", ".join(sorted(top.decode("utf-8", "backslashreplace") for top in tops)[:5])
    told = f"{container.called} is a tar without manifest.json or index.json, and no root file system either (it holds {shown})"
    folder = find_image(container)
    if folder is not None:
        from shlex import quote

        place = quote(folder.decode("utf-8", "backslashreplace"))
        told += f"; an image lies in {place}: pack that alone, with tar -C {place} -cf image.tar ."
    raise ArchiveError(told, id="A36")
