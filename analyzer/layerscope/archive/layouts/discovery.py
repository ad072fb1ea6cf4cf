"""Which images are in there?"""

from __future__ import annotations

from dataclasses import replace

from layerscope.archive.container.base import Container
from layerscope.archive.container.folder import Folder
from layerscope.archive.container.outlook import BLOBS, REGISTRY, TOPS
from layerscope.archive.layouts.candidate import Candidate, Found, LayerRef
from layerscope.archive.layouts.docker import find_docker, find_legacy
from layerscope.archive.layouts.oci import find_dir, find_oci, find_registry, refuse
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError, LimitError, UnsupportedError


def find_images(container: Container) -> Found | None:
    """Return the images of a container; None if nothing in it speaks of any.

    In a root file system a file of such a name may be any file (A35).
    """
    if not _speaks_of_images(container):
        return None
    if not container.rootlike():
        return discover(container)
    notes = container.notes.freeze()
    try:
        return discover(container)
    except LimitError:
        raise
    except ArchiveError as error:
        container.notes = Notebook()
        container.notes.extend(notes)
        container.notes.info("A35", f"a file is named as archives of images name theirs, and is none: {error}")
        return None


def _speaks_of_images(container: Container) -> bool:
    if any(name in container.members or name in container.links for name in TOPS):
        return True
    return any(
        REGISTRY + b"/" in name
        or name.startswith(BLOBS + b"/")
        or (name.endswith(b"/layer.tar") and name.removesuffix(b"layer.tar") + b"json" in container.members)
        for name in container.members
    )


def folder_hint(container: Container) -> str:
    """Return what to say of a folder without an image."""
    assert isinstance(container, Folder)
    return f"{container.called} is a folder without index.json or manifest.json: not an OCI layout, not a dir: folder"


def discover(container: Container) -> Found:
    """Return all images of a container, those of manifest.json and index.json joined (A07).

    A document that is broken does not hide the other; if neither gives an image, the first complaint is raised.
    """
    why = container.ended_early()
    complaints: list[ArchiveError] = []
    views: list[Found] = []
    for reader in (find_docker, find_oci, find_dir, find_registry):
        try:
            found = reader(container)
        except LimitError:
            raise
        except ArchiveError as error:
            complaints.append(error)
        else:
            if found is not None:
                views.append(found)
    if not any(view.candidates for view in views):
        try:
            legacy = find_legacy(container)
        except ArchiveError as error:
            complaints.append(error)
            legacy = None
        if legacy is not None:
            views.append(legacy)
    for complaint in complaints:
        container.notes.fail(complaint.id or "A33", str(complaint))
    candidates: tuple[Candidate, ...] = ()
    for view in views:
        candidates = join_views(candidates, view.candidates, container.notes) if candidates else view.candidates
    everything = Found(
        candidates,
        frozenset(ident for view in views for ident in view.documents),
        tuple(refusal for view in views for refusal in view.refusals),
    )
    try:
        if not candidates and complaints:
            raise complaints[0]
        refuse(container, everything)
    except UnsupportedError:
        raise
    except ArchiveError as error:
        if why is None:
            raise ArchiveError(f"{error}{_hint(container)}", id=error.id) from error
        raise ArchiveError(f"{error}; {container.called} could be read only in part: {why.message}", id=error.id) from error
    return everything


def _hint(container: Container) -> str:
    """Return what was met that may explain why there is no image: a link out of the folder, two members of one name."""
    for note in container.notes.freeze():
        if note.id in ("E03", "A51") and note.path is not None:
            return f"; {note.path.decode('utf-8', 'backslashreplace')}: {note.message}"
    return ""


def join_views(docker: tuple[Candidate, ...], oci: tuple[Candidate, ...], notes: Notebook) -> tuple[Candidate, ...]:
    """Join two views of one archive on the config: its member, or its digest where it is missing."""
    rest = list(oci)
    joined = []
    for one in docker:
        twins = [other for other in rest if _same_config(one, other)]
        for twin in twins:
            rest.remove(twin)
            one = _join(one, twin, notes)
        joined.append(one)
    return (*joined, *rest)


def _same_config(one: Candidate, other: Candidate) -> bool:
    if one.config is None or other.config is None:
        return one.config is other.config and one.config_digest is not None and one.config_digest == other.config_digest
    return one.config.ident == other.config.ident


def _join(docker: Candidate, oci: Candidate, notes: Notebook) -> Candidate:
    layers = docker.layers
    if len(docker.layers) == len(oci.layers):
        layers = tuple(_join_layer(a, b) for a, b in zip(docker.layers, oci.layers, strict=True))
        if any(
            a.member and b.member and a.member.ident != b.member.ident for a, b in zip(docker.layers, oci.layers, strict=True)
        ):
            notes.warn("A06", "manifest.json and index.json list different layers; manifest.json's are read")
    elif docker.layers:
        notes.warn(
            "A06", f"manifest.json lists {len(docker.layers)} layers, index.json {len(oci.layers)}; manifest.json's are read"
        )
    else:
        layers = oci.layers
    return replace(
        docker,
        names=tuple(dict.fromkeys((*docker.names, *(() if docker.names else oci.names)))),
        manifest_digest=oci.manifest_digest,
        platform=oci.platform,
        annotations={**docker.annotations, **oci.annotations},
        documents=docker.documents | oci.documents,
        layers=layers,
    )


def _join_layer(docker: LayerRef, oci: LayerRef) -> LayerRef:
    return replace(
        docker,
        member=docker.member or oci.member,
        digest=oci.digest or docker.digest,
        media_type=oci.media_type or docker.media_type,
        size=oci.size if oci.size is not None else docker.size,
        urls=oci.urls or docker.urls,
    )
