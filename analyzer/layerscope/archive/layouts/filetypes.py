"""What is it, if it is no image? Names a file for people by its first bytes (A36)."""

from __future__ import annotations

from layerscope.regex import regex

MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip file"),
    (0, b"PK\x05\x06", "an empty zip file"),
    (0, b"QFI\xfb", "a qcow2 disk image of a virtual machine"),
    (32, b"SIF_MAGIC", "a Singularity/Apptainer image (SIF)"),
    (0, b"hsqs", "a squashfs file system"),
    (0, b"sqsh", "a squashfs file system"),
    (1024, b"\xe2\xe1\xf5\xe0", "an EROFS file system"),
    (1080, b"\x53\xef", "an ext file system"),
    (32769, b"CD001", "an ISO 9660 disc image"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"MZ", "a Windows program"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"!<arch>\n", "a Debian package or an ar archive"),
    (0, b"\xed\xab\xee\xdb", "an RPM package"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"KDMV", "a VMDK disk image"),
    (0, b"conectix", "a VHD disk image"),
    (0, b"070701", "a cpio archive"),
    (0, b"\x04\x22\x4d\x18", "LZ4 data"),
)
HEAD = 32774
BLOCK = 512
_JSON = regex(rb'\{\s*(?:["}]|$)|\[\s*(?:["{\[\]\d-]|true|false|null|$)')


def name_bytes(head: bytes) -> str:
    """Return what the bytes are, as a noun with its article."""
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:2] == b"\xff\xfe" and not head[3:64:2].strip(b"\0"):
        return "UTF-16 text, which PowerShell makes of what > takes (docker save --output does not go through it)"
    text = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if _JSON.match(text):
        return "a JSON document"
    if text[:1] == b"<":
        return "an HTML or XML document"
    if text[:2] == b"#!":
        return "a script"
    if head and not head.strip(b"\0"):
        return "a file of zeros"
    if b"\0" in text and len(head) < BLOCK:
        return f"too short for a tar ({len(head)} bytes)"
    if head[257:262] == b"ustar":
        return "a tar whose first header is damaged"
    if b"\0" in text:
        return "no tar, and of no kind that layerscope knows"
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return "no tar, and of no kind that layerscope knows"
    return "a text file" if text else "no tar"
