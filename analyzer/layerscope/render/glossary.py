"""What is this id: what does it mean, why does it matter, what is to be done? As text, one and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from layerscope.analysis.kinds import KINDS
from layerscope.frozen import frozen
from layerscope.render.options import Options
from layerscope.render.words import left, wrap

NOTES: tuple[tuple[str, str, str, str], ...] = (
    ("A02", "a link of the archive leads nowhere", "Its layer cannot be read.", "Save the image again."),
    (
        "A04",
        "an archive of Docker before 1.10",
        "It has no manifest.json; the layers are found through their parents.",
        "Nothing; docker save of a newer Docker writes a manifest.",
    ),
    ("A06", "manifest.json and index.json disagree", "Tools differ in which one they believe.", "Save the image again."),
    ("A09", "a layer is not in the archive", "Its files are missing from every number.", "Pull all platforms, then save."),
    (
        "A13",
        "an artifact that is no image",
        "It has no file system: a signature, an SBOM, a chart.",
        "Nothing, if the image is what you asked for.",
    ),
    ("A18", "an index that cannot be read", "No image can be found through it.", "Save the image again."),
    (
        "A20",
        "the image lies in a folder of the archive",
        "It is read all the same; docker load and skopeo look at the top alone, and refuse it.",
        "Pack what is in the folder: tar -C FOLDER -cf image.tar .",
    ),
    (
        "A23",
        "the oci-layout file is missing or of another version",
        "Some tools refuse the folder.",
        "Write it with a tool that knows OCI layouts.",
    ),
    ("A33", "a document or blob is missing or unreadable", "The report is not complete.", "Save the image again."),
    (
        "A35",
        "a root file system without an image",
        "There is no history and no config.",
        "docker save instead of docker export.",
    ),
    ("A36", "the input is no image", "There is nothing to report.", "Give what docker save or skopeo wrote."),
    (
        "A37",
        "a layer that archives leave out on purpose",
        "Its bytes are not counted.",
        "Nothing; it comes from its own address.",
    ),
    (
        "A38",
        "opaque marks in a Windows layer",
        "Windows does not obey them; nothing is hidden.",
        "Nothing; ask the builder why it writes them.",
    ),
    ("A39", "an encrypted layer", "Its bytes are counted, its files are not known.", "Decrypt the image first."),
    ("A40", "a manifest of schema 1", "Registries gave it up; it is not read.", "Pull the image again with a newer tool."),
    (
        "A43",
        "a layer that is a squashfs file system",
        "Its bytes are counted, its files are not known.",
        "Build the image with tar layers.",
    ),
    (
        "A44",
        "indexes that nest too deep, or name themselves",
        "What lies below is not read.",
        "--limit nesting=VALUE, if you trust it.",
    ),
    ("A45", "bytes that no part of this image uses", "They take room on disk.", "Save the image alone."),
    (
        "A49",
        "a document that is index and manifest in one",
        "Tools differ in which one they see (CVE-2021-41190).",
        "Do not trust this archive.",
    ),
    (
        "A50",
        "index and config name different platforms",
        "Readers that go by one see another image than those that go by the other.",
        "Build the image again; find out who wrote the index.",
    ),
    ("A51", "a name that stands twice in the archive", "Tools differ in which one they read.", "Do not trust this archive."),
    ("A54", "an archive that may be cut", "It ends where more should follow.", "Save or download it again."),
    (
        "A55",
        "a manifest.json that is not docker's",
        "It names neither config nor layers.",
        "Save the image with docker or skopeo.",
    ),
    (
        "A57",
        "a layer that is an EROFS file system",
        "Its bytes are counted, its files are not known.",
        "Build the image with tar layers.",
    ),
    ("B01", "the image has no history", "No instruction can be named.", "Let the builder keep the history."),
    ("B02", "fewer history rows than layers", "The last layers have no instruction.", "Let the builder keep the history."),
    ("B03", "more history rows than layers", "The last rows made no layer.", "Nothing."),
    (
        "B09",
        "a config that tells of no layers",
        "Runtimes refuse an image whose rootfs is not of the type layers.",
        "Build the image again; it may be a build cache.",
    ),
    ("B10", "config and manifest tell of different layers", "One of them is wrong.", "Save the image again."),
    ("B11", "a digest is not what is claimed", "The bytes were changed.", "Do not trust this archive."),
    ("C03", "a whiteout of what is not there", "It deletes nothing.", "Nothing; some builders write them."),
    (
        "C07",
        "a whiteout that names nothing",
        "It deletes nothing here; some tools delete the folder.",
        "Build the layer again; find out who wrote it.",
    ),
    ("C08", "whiteouts in the lowest layer", "They have nothing to hide.", "Nothing; builders that flatten images leave them."),
    (
        "C09",
        "a whiteout that is more than an empty file",
        "It deletes all the same; its bytes are carried for nothing.",
        "Build the layer again.",
    ),
    (
        "C10",
        "metadata of AUFS",
        "No container sees it; its bytes are carried for nothing.",
        "Build the image again with another storage driver.",
    ),
    (
        "C12",
        "a folder replaces a symlink",
        "What the link led to is hidden.",
        "COPY to where the link leads (usr/bin, not bin).",
    ),
    (
        "C18",
        "a path that stands twice in one layer",
        "The last entry holds; both are stored. Old Docker refuses such a layer.",
        "Let the builder write each path once.",
    ),
    (
        "C20",
        "a name that climbs out of the root",
        "Runtimes refuse it or clamp it; an unsafe tool would write there.",
        "Do not unpack this layer; find out who wrote it.",
    ),
    (
        "C21",
        "an entry for the root that is no folder",
        "An unsafe tool would follow it (CVE-2021-29136).",
        "Do not unpack this layer; find out who wrote it.",
    ),
    ("C22", "an entry without a name", "It cannot be unpacked; it was passed over.", "Build the layer again."),
    (
        "C23",
        "a device 0:0, which overlayfs takes for a whiteout",
        "The file below it is gone in a container, though most scanners show it.",
        "Use a whiteout, .wh.NAME.",
    ),
    (
        "C24",
        "an attribute that overlayfs obeys",
        "It hides or redirects files where few tools look.",
        "Find out who set it; build the layer without it.",
    ),
    ("C25", "a device with a size", "Readers disagree where the next entry begins.", "Build the layer again."),
    (
        "C26",
        "files that are looked into by the names of links, which came after their contents",
        "Standard input was over by then: databases among them were not read, and packages are missing.",
        "Write the image to a file first, and read that.",
    ),
    ("C28", "a hard link before its target", "Runtimes cannot unpack the layer.", "Build the layer again."),
    ("C29", "a hard link to a lower layer", "Some runtimes cannot unpack the layer.", "Use another builder, or copy the file."),
    ("C31", "a hard link to what is not there", "Runtimes cannot unpack the layer.", "Build the layer again."),
    (
        "C37",
        "a NUL in a name",
        "The layer ends there; readers disagree what the name is.",
        "Do not trust this layer; build it again.",
    ),
    ("C38", "a path that no runtime can unpack", "It is longer than Linux allows.", "Shorten it."),
    (
        "C41",
        "a number of a rare form",
        "Python's reader stops at it, and misses what follows.",
        "Build the layer with another tool.",
    ),
    ("C42", "a time that is no number", "The layer ends there, as for the runtimes.", "Build the layer again."),
    (
        "C43",
        "a sparse file that runtimes may refuse",
        "Docker cannot unpack GNU's old form; a broken map ends the layer.",
        "tar --format=posix, or without -S.",
    ),
    (
        "C44",
        "sparse records without a map",
        "Readers disagree about the file's name and size.",
        "Do not trust this layer; build it again.",
    ),
    ("C45", "a number that does not fit 64 bits", "The layer ends there, as for the runtimes.", "Build the layer again."),
    (
        "C46",
        "an eStargz table of contents that disagrees with the tar",
        "A runtime that pulls lazily sees other files.",
        "Do not trust this layer; build it again.",
    ),
    ("C47", "an eStargz table of contents", "It stands behind the tar's end, for lazy pulling.", "Nothing."),
    (
        "C48",
        "a zstd:chunked table of contents that disagrees with the tar",
        "Podman, which reads it, sees other files.",
        "Do not trust this layer; build it again.",
    ),
    (
        "C49",
        "a global PAX header",
        "It is not applied, as runtimes do not; some tools do, and see other names.",
        "Nothing; git archive writes them.",
    ),
    (
        "C50",
        "an entry of a type that nobody unpacks",
        "It was passed over; its bytes are carried for nothing. Docker may refuse the layer.",
        "Build the layer with another tool.",
    ),
    (
        "C52",
        "data after a single zero block",
        "Runtimes refuse the layer; other readers stop there and see less.",
        "Do not trust this layer; build it again.",
    ),
    (
        "C53",
        "bytes after the end of the tar",
        "No runtime unpacks them; they are carried and may hide something.",
        "Look at them; build the layer again.",
    ),
    ("C54", "a damaged tar header", "The layer ends there; the report is not complete.", "Save the image again."),
    ("C55", "a layer that is cut short", "Its last files are missing; the report is not complete.", "Save the image again."),
    ("C56", "two PAX headers before one entry", "Readers disagree which holds.", "Do not trust this layer; build it again."),
    (
        "C57",
        "GNU and PAX names that contradict each other",
        "Readers disagree which holds.",
        "Do not trust this layer; build it again.",
    ),
    (
        "C58",
        "a size of an extension header that readers apply differently",
        "Some of them miss entries, or see others.",
        "Do not trust this layer; build it again.",
    ),
    (
        "C59",
        "an old-style file with a long name",
        "Python's reader may lose all that follows.",
        "Nothing, unless a tool in Python reads the layer.",
    ),
    ("C60", "a size field of a rare form", "Readers disagree where the next entry begins.", "Build the layer again."),
    ("C61", "a PAX record of a rare form", "Readers disagree about it, or the layer ends there.", "Build the layer again."),
    (
        "C62",
        "a file whose name ends in a slash, or a folder with a size",
        "Readers disagree what it is.",
        "Build the layer again.",
    ),
    (
        "C63",
        "a name whose first part readers join or not",
        "They see the file at different paths.",
        "Build the layer with another tool.",
    ),
    ("C64", "an extension header without its entry", "The layer may be cut.", "Save the image again."),
    (
        "C65",
        "a layer that is no tar",
        "Its bytes are counted, its files are not known.",
        "Save or pull the image again; the pull may have failed.",
    ),
    (
        "D03",
        "bytes after the end of the compressed data",
        "Nobody reads them; they are carried and may hide something.",
        "Look at them; compress the layer again.",
    ),
    (
        "D04",
        "compressed data that are cut or damaged",
        "What stands behind the damage is missing from every number.",
        "Save or download the image again.",
    ),
    ("D06", "compressed data that hold nothing", "They cost time and give no byte.", "Do not trust this layer."),
    ("D09", "compressed in a way that OCI does not allow", "Registries may refuse the layer.", "Compress with gzip or zstd."),
    ("D10", "the media type lies about the compression", "Some runtimes refuse the layer.", "Build or push it again."),
    ("D11", "a layer that is compressed twice", "Its bytes are counted, its files are not known.", "Decompress it once."),
    ("E03", "a link out of the folder", "It is not followed.", "Look why it is there."),
    ("E04", "an invalid digest", "No blob can be looked up by it.", "Save the image again; find out who wrote it."),
    (
        "E05",
        "a blob of another size than its descriptor says",
        "It was cut or changed; registries refuse it.",
        "Save the image again.",
    ),
    (
        "E06",
        "a document that is no valid JSON, or has a key twice",
        "What it says is not known, or tools disagree about it.",
        "Save the image again.",
    ),
    (
        "E07",
        "a key in other letters than the specification's",
        "Tools written in Go read it, others do not.",
        "Find out who wrote it; build the image again.",
    ),
    ("E08", "a document that is too large", "It is not read.", "--limit json_bytes=VALUE, if you trust it."),
    ("E09", "more images or layers than anybody has", "They are not read.", "--limit manifests=VALUE, if you trust it."),
    ("E10", "a limit was reached", "The input may be made to exhaust machines.", "--limit NAME=VALUE, if you trust it."),
    ("E11", "a negative size", "The layer ends there; some readers run in a circle.", "Do not trust this layer."),
    ("E12", "a PAX record of length zero", "The layer ends there; some readers run in a circle.", "Do not trust this layer."),
    ("E13", "an extension header that is too long", "The layer ends there.", "--limit special_bytes=VALUE, if you trust it."),
    (
        "E14",
        "a sparse map that is too long or wrong",
        "The layer ends there.",
        "--limit sparse_fragments=VALUE, if you trust it.",
    ),
    (
        "E17",
        "symlinks that lead in a circle",
        "What is put through them gets a folder in their place.",
        "Build the layer again.",
    ),
    (
        "E18",
        "folders nested too deeply",
        "What is in them is passed over; the report is not complete.",
        "--limit folder_bytes=VALUE, if you trust it.",
    ),
    (
        "E31",
        "the input was changed while it was read",
        "Old and new are mixed in the numbers.",
        "Read it again, once nobody writes to it.",
    ),
    (
        "P01",
        "a package database that is damaged in part",
        "Packages may be missing, and their files have no owner.",
        "Do not edit or cut package databases.",
    ),
    (
        "P02",
        "a program that is packed",
        "What it was built from cannot be told, so it has no package; it is unpacked in memory at every start.",
        "Ship it as it was linked: layers are compressed anyway.",
    ),
)


@frozen
class Explanation:
    """An id, what kind of thing it names ("cause", "note", "rule"), and what there is to say about it.

    sure  how sure or how grave it is: "fact", "warning"; empty where that varies
    """

    id: str
    kind: str
    summary: str
    why: str
    fix: str
    sure: str = ""


def explain_causes() -> tuple[Explanation, ...]:
    """Return what the causes are, in the order in which they claim bytes."""
    return tuple(Explanation(kind.id, "cause", kind.summary, kind.why, kind.fix, kind.certainty.value) for kind in KINDS)


def explain_notes() -> tuple[Explanation, ...]:
    """Return what the notes are."""
    return tuple(Explanation(id_, "note", *said) for id_, *said in NOTES)


def explanation_text(found: Explanation, options: Options) -> str:
    """Return everything about one id."""
    kind = f"{found.kind}, {found.sure}" if found.sure else found.kind
    lines = [f"{options.paint(found.id, 'title')}  ({kind})", ""]
    for label, said in (("what", found.summary), ("why", found.why), ("fix", found.fix)):
        lines += wrap(said, options.columns, indent="      ", first=f"{label:4}  ")
    return "\n".join(lines) + "\n"


def explanations_text(registries: Mapping[str, Iterable[Explanation]], options: Options) -> str:
    """Return a line for each id that can be explained, by kind."""
    sections = []
    for title, registry in registries.items():
        rows = list(registry)
        width = max((len(row.id) for row in rows), default=0)
        sure = max((len(row.sure) for row in rows), default=0)
        lines = [options.paint(title.upper(), "title")]
        for row in rows:
            head = f" {left(row.id, width)}  {left(row.sure, sure) + '  ' if sure else ''}"
            lines += wrap(row.summary, options.columns, indent=" " * len(head), first=head)
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"
