"""Which tars are hard to read? Each trap is one archive, by name; the cases that it belongs to stand in front of the name."""

from __future__ import annotations

from build import entry, gnu_long, opaque, pax, record, sparse_gnu, sparse_pax, tar, whiteout

A, B = entry("a", b"a"), entry("b", b"b")
FRAGMENTS = [(4096 * number, b"%04d" % number * 128) for number in range(30)]
FEW = FRAGMENTS[:3]
LONG = "/".join(["node_modules"] * 12) + "/index.js"
SIZE = 1 << 20


def restamped(header: bytes, signed: bool = False) -> bytes:
    """Return an entry whose header was edited, with the checksum that it should have."""
    block = header[:148] + b" " * 8 + header[156:512]
    total = sum(octet - 256 if signed and octet > 127 else octet for octet in block)
    return block[:148] + b"%06o\0 " % total + block[156:] + header[512:]


def patched(header: bytes, at: int, data: bytes) -> bytes:
    """Return an entry with other bytes at an offset of its header, and the right checksum."""
    return restamped(header[:at] + data + header[at + len(data) :])


def star(header: bytes, prefix: bytes = b"pre/fix", times: bytes = b"00000000001\0" * 2) -> bytes:
    """Return an entry as star writes it: a short prefix, times behind it, a trailer."""
    return patched(header, 345, prefix.ljust(131, b"\0") + times + bytes(8) + b"tar\0")


def pax_text(data: bytes, type: bytes = b"x") -> bytes:  # noqa: A002
    """Return a PAX header with these very bytes as its records."""
    return entry("PaxHeaders.0/x", data, type=type)


def old_sparse(fields: bytes, data: bytes = b"", **header) -> bytes:
    """Return a header of type S whose sparse fields, from octet 386 on, are these."""
    return patched(entry("s", data, type=b"S", magic="gnu", **header), 386, fields)


def sparse_10(map_text: bytes, data: bytes = b"", size: int = SIZE, **more) -> bytes:
    """Return a sparse file of version 1.0 with this text as its map."""
    about = {"GNU.sparse.major": 1, "GNU.sparse.minor": 0, "GNU.sparse.name": "s", "GNU.sparse.realsize": size} | more
    return pax(about) + entry("GNUSparseFile.0/s", map_text + data)


def sparse_01(map_text: str, count: object, data: bytes, **more) -> bytes:
    """Return a sparse file of version 0.1 with this text as its map."""
    return pax({"GNU.sparse.size": SIZE, "GNU.sparse.numblocks": count, "GNU.sparse.map": map_text} | more) + entry("s", data)


def numbers() -> dict[str, bytes]:
    """Traps in number fields."""
    odd = {
        "spaces in front": b"         5 \0",
        "spaces around": b"  0000005   ",
        "no terminator": b"000000000005",
        "nul in front": b"\0" + b"0000000005\0",
        "nul inside": b"5\0" + b"7" * 10,
        "spaces only": b" " * 12,
        "nuls only": bytes(12),
        "eight": b"00000000008\0",
        "letters": b"garbage     ",
        "sign": b"+0000000005\0",
        "minus": b"-0000000005\0",
        "underscore": b"0_0000005\0\0\0",
        "prefix 0o": b"0o000000005\0",
        "tab": b"\t000000005\0\0",
        "biggest octal": b"777777777777",
        "base 256": b"\x80" + bytes(10) + b"\5",
        "base 256, other bits": b"\x81" + bytes(10) + b"\5",
        "base 256, minus one": b"\xff" * 12,
        "base 256, minus 512": b"\xff" * 10 + b"\xfe\0",
        "base 256, 2**63": b"\x80\0\0\0\x80" + bytes(7),
        "base 256, 2**63 - 1": b"\x80\0\0\0\x7f" + b"\xff" * 7,
        "base 256, -2**63": b"\xff\xff\xff\xff\x80" + bytes(7),
        "base 256, too big": b"\x80" + b"\1" * 11,
        "non-ascii": b"\x7f0000000005",
    }
    found = {}
    for name, field in odd.items():
        found[f"C60 size: {name}"] = tar(A, entry("f", b"12345", size=field[:12]), B)
        found[f"C60 folder's size: {name}"] = tar(A, entry("d/", size=field[:12], type=b"5"), B)
        found[f"C60 link's size: {name}"] = tar(A, entry("h", size=field[:12], type=b"1", link="a"), B)
        found[f"C42 mtime: {name}"] = tar(A, entry("f", b"12345", mtime=field[:12]), B)
    for name, field in odd.items():
        short = field[:1] + field[-7:]
        found[f"C41 uid: {name}"] = tar(A, entry("f", b"12345", uid=short), B)
        found[f"C41 gid: {name}"] = tar(A, entry("f", b"12345", gid=short), B)
        found[f"C39 mode: {name}"] = tar(A, entry("f", b"12345", mode=short), B)
        found[f"C25 device: {name}"] = tar(A, entry("f", b"", type=b"3", devmajor=short, devminor=1), B)
        found[f"C25 old device: {name}"] = tar(A, entry("f", b"", type=b"3", devmajor=short, magic=bytes(8)), B)
        found[f"C54 checksum: {name}"] = tar(A, entry("f", b"12345", checksum=short), B)
    found["C39 mode: file type bits"] = tar(entry("f", mode=0o104755), B)
    found["C45 a file of nine GiB, cut"] = entry("f", b"12345", size=9 << 30)
    return found


def headers() -> dict[str, bytes]:
    """Traps in what kind of header it is."""
    loud = entry("caf\u00e9", b"a", uname=b"\xe9" * 30, gname=b"\xff" * 30)
    found = {
        "C54 checksum of signed octets": tar(A, restamped(loud, signed=True), B),
        "C54 checksum of unsigned octets": tar(A, loud, B),
        "C54 checksum one off": tar(A, entry("f", b"x", checksum=1), B),
        "C63 v7": tar(entry("a", b"a", magic="v7"), entry("d/", magic="v7", type=b"\0"), entry("b", magic="v7")),
        "C63 ustar prefix": tar(entry("name", b"a", prefix="pre/fix"), B),
        "C63 ustar prefix without end": tar(entry("n" * 100, b"a", prefix="p" * 155), B),
        "C63 ustar prefix, version of no kind": tar(entry("name", b"a", prefix="pre", magic=b"ustar\0xx"), B),
        "C63 v7 with prefix": tar(entry("name", b"a", prefix="pre/fix", magic="v7"), B),
        "C63 gnu with prefix": tar(entry("name", b"a", prefix="pre/fix", magic="gnu"), B),
        "C63 gnu with prefix, non-ascii": tar(entry("name", b"a", prefix="pr\u00e9/fix", magic="gnu"), B),
        "C63 gnu with times": tar(entry("name", b"a", prefix=b"00000000001\0" * 2, magic="gnu"), B),
        "C63 gnu with one time": tar(entry("name", b"a", prefix=bytes(12) + b"garbage", magic="gnu"), B),
        "C63 gnu with one good time": tar(entry("name", b"a", prefix=b"00000000001\0garbage", magic="gnu"), B),
        "C63 gnu of another version": tar(entry("name", b"a", prefix="pre", magic=b"ustar 00"), B),
        "C63 star": tar(star(entry("name", b"a")), B),
        "C63 star, bad time": tar(A, star(entry("name", b"a"), times=b"garbage     " * 2), B),
        "C63 star, long prefix": tar(star(entry("name", b"a"), b"p" * 131), B),
        "C63 gnu with star's trailer": tar(A, patched(entry("f", b"a", magic="gnu"), 476, b"garbage     " * 2 + bytes(8) + b"tar\0"), B),
        "C63 v7 with star's trailer": tar(A, patched(entry("f", b"a", magic="v7"), 476, b"garbage     " * 2 + bytes(8) + b"tar\0"), B),
        "C62 folder of old type": tar(A, entry("d/", type=b"\0"), B),
        "C62 folder of old type with a size": tar(A, entry("d/", b"12345", type=b"\0"), B),
        "C62 folder of old type with a negative size": tar(A, entry("d/", size=-512, type=b"\0"), B),
        "C62 file with a slash": tar(A, entry("d/", b"12345"), B),
        "C62 slash by PAX": tar(A, pax({"path": "d/"}) + entry("f", b"12345"), B),
        "C62 slash by PAX, old type": tar(A, pax({"path": "d/"}) + entry("f", b"12345", type=b"\0"), B),
        "C62 slash by PAX, old type, no size": tar(A, pax({"path": "d/"}) + entry("f", type=b"\0"), B),
        "C62 slash by PAX, old type, negative size": tar(A, pax({"path": "d/", "size": -1}) + entry("f", type=b"\0"), B),
        "C59 long name over old type": tar(A, gnu_long(LONG + "/tail") + entry("d/", b"12345", type=b"\0"), B),
        "C59 long folder of old type": tar(A, gnu_long(LONG + "/") + entry("d", type=b"\0"), B),
        "C11 negative size of a folder": tar(A, entry("d/", size=-512, type=b"5"), B),
        "C26 negative size of a link": tar(A, entry("h", size=-512, type=b"1", link="a"), B),
        "C60 negative size of a file": tar(A, entry("f", size=-512), B),
        "C26 hard link with a size and no data": tar(A, entry("h", type=b"1", link="a", size=600), B),
        "C26 hard link with data": tar(A, entry("h", b"123", type=b"1", link="a"), B),
        "C26 symlink with data": tar(A, entry("h", b"123", type=b"2", link="a"), B),
        "C25 device with a size": tar(A, entry("c", type=b"3", size=512), B),
        "C25 folder with data": tar(A, entry("d/", b"x" * 600, type=b"5"), B),
        "C22 no name": tar(A, entry("", b"x"), B),
        "C22 no folder's name": tar(A, entry("", type=b"5"), B),
        "C21 root": tar(entry("./", type=b"5", mode=0o700), entry("/", type=b"5"), entry(".", type=b"5"), B),
        "C21 root as symlink": tar(entry("./", type=b"2", link="/etc"), B),
        "C21 root as file": tar(entry(".", b"123"), entry("a/..", b"1234"), B),
        "C19 six spellings": tar(*(entry(name, b"x") for name in ("x", "./x", "/x", "x/", "a/../x", "a//x", ".//./x/."))),
        "C20 climbs out": tar(entry("../x", b"x"), entry("a/../../../y", b"x"), entry("..", b"x"), B),
        "C36 not UTF-8": tar(entry(b"caf\xe9", b"1"), entry(b"caf\xef\xbf\xbd", b"2")),
        "C35 spaces": tar(entry(" x", b"1"), entry("x", b"1"), entry("x ", b"1"), entry("X", b"1")),
        "C18 twice": tar(entry("a", b"123"), entry("a", b"1234")),
        "C32 links' targets": tar(A, *(entry(f"h{n}", type=b"1", link=link) for n, link in enumerate(("a", "/a", "./a", "x/../a")))),
        "C31 links": tar(entry("h", type=b"1", link="h"), entry("i", type=b"1", link="j"), entry("j", type=b"1", link="")),
        "C23 0:0": tar(entry("c", type=b"3"), entry("d", type=b"3", magic="v7"), entry("e", type=b"3", magic="gnu"), B),
        "C09 marks": tar(whiteout("a", type=b"5"), whiteout("b", type=b"2", link="x"), whiteout("c", data=b"123"), opaque("d", data=b"1"), B),
        "C07 bare marks": tar(*(entry("etc/" + name) for name in (".wh.", ".wh..", ".wh...")), entry(".wh."), B),
    }  # fmt: skip
    for flag in b"017SVMNDXZAIgxLK\xff 8Q":
        found[f"C50 type {chr(flag)!r}"] = tar(A, entry("f", b"123", type=bytes([flag])), B)
        found[f"C50 type {chr(flag)!r}, no data"] = tar(A, entry("f", type=bytes([flag])), B)
    return found


def extensions() -> dict[str, bytes]:
    """Traps in extension headers."""
    found = {
        "C56 two PAX headers": tar(A, pax({"path": "one"}), pax({"path": "two"}), entry("f", b"x"), B),
        "C56 two PAX headers, other keys": tar(A, pax({"path": "one", "size": 2}), pax({"uid": 3}), entry("f", b"x"), B),
        "C56 the first one's map": tar(
            A, pax({"GNU.sparse.map": "0,1", "GNU.sparse.numblocks": 1}), pax({"uid": 3}), entry("f", b"x"), B
        ),
        "C57 PAX, then long": tar(A, pax({"path": "paxname"}), gnu_long("gnuname"), entry("f", b"x"), B),
        "C57 long, then PAX": tar(A, gnu_long("gnuname"), pax({"path": "paxname"}), entry("f", b"x"), B),
        "C57 links": tar(A, gnu_long("gnulink", b"K"), pax({"linkpath": "paxlink"}), entry("f", type=b"2", link="x"), B),
        "C57 long twice": tar(A, gnu_long("one"), gnu_long("two"), gnu_long("l", b"K"), entry("f", type=b"2"), B),
        "C57 long, empty": tar(A, gnu_long(""), entry("f", b"x"), B),
        "C57 long, no end": tar(A, entry("x", b"long", type=b"L"), entry("f", b"x"), B),
        "C57 long with NUL": tar(A, entry("x", b"lo\0ng\0", type=b"L"), entry("f", b"x"), B),
        "C57 long, zero bytes": tar(A, entry("x", b"", type=b"L"), entry("f", b"x"), B),
        "C57 long link for a file": tar(A, gnu_long("l", b"K"), entry("f", b"x"), B),
        "C57 long name and sparse name": tar(A, gnu_long("long"), sparse_pax("s", FEW, SIZE), B),
        "C58 size over PAX": tar(A, pax({"size": 2048}), pax({"path": "p"}), entry("f", b"x"), B),
        "C58 size over long name": tar(A, pax({"size": 1024}), gnu_long(LONG), entry("f", b"x" * 1024), B),
        "C58 size over global": tar(A, pax({"size": 1024}), pax({"comment": "x"}, type=b"g"), entry("f", b"x"), B),
        "C58 size": tar(A, pax({"size": 1024}), entry("f", b"x" * 1024, size=0), B),
        "C58 size for a folder": tar(A, pax({"size": 1024}), entry("d/", type=b"5"), B),
        "C58 size for a link": tar(A, pax({"size": 1024}), entry("h", type=b"1", link="a"), B),
        "C58 size of vendor's entry": tar(A, pax({"size": 1024}), entry("v", b"x" * 1024, type=b"V", size=0), B),
        "C61 smaller than the header's": tar(A, pax({"size": 512}), entry("f", entry("hidden", b"") + B), B),
        "C61 negative": tar(A, pax({"size": -1}), entry("f", b"x"), B),
        "C61 negative, for a folder": tar(A, pax({"size": -1}), entry("d/", type=b"5"), B),
        "C61 huge": tar(A, pax({"size": "99999999999999999999"}), entry("f", b"x"), B),
        "C61 just too huge": tar(A, pax({"size": 1 << 63}), entry("f", b"x"), B),
        "C61 empty": tar(A, pax({"path": "", "size": "", "mtime": "", "uid": "", "linkpath": ""}), entry("f", b"x"), B),
        "C61 keys twice": tar(A, pax([("path", "one"), ("path", "two")]), entry("f", b"x"), B),
        "C61 twice, then empty": tar(A, pax([("path", "one"), ("path", "")]), entry("f", b"x"), B),
        "C49 global": tar(A, pax({"comment": "abc"}, type=b"g"), entry("f", b"x"), B),
        "C49 global names": tar(pax({"path": "evil", "size": 600, "uid": 7}, type=b"g"), A, B),
        "C49 global after PAX": tar(pax({"path": "p"}), pax({"uid": 7}, type=b"g"), A, B),
        "C49 bad global": tar(A, pax_text(b"99 x=y\n", b"g"), B),
        "C49 bad number in global": tar(A, pax({"uid": "x", "mtime": "nan"}, type=b"g"), B),
        "C64 dangling PAX": tar(A, pax({"path": "p"})),
        "C64 dangling PAX, no end": tar(A, pax({"path": "p"}), end=0),
        "C64 dangling long name": tar(A, gnu_long("p")),
        "C64 dangling global": tar(A, pax({"path": "p"}, type=b"g")),
        "E13 a MiB of name": tar(A, gnu_long("x" * ((1 << 20) - 1)), entry("f"), B),
        "E13 more than a MiB": tar(A, gnu_long("x" * (1 << 20)), entry("f"), B),
        "C40 xattrs": tar(
            A, pax({"SCHILY.xattr.user.a": b"\0\xff=\n", "SCHILY.xattr.": b"x", "SCHILY.xattr.b": b""}), entry("f"), B
        ),
        "C40 xattrs of a symlink": tar(A, pax({"SCHILY.xattr.security.capability": b"\1\0\0\2"}), entry("f", type=b"2"), B),
        "C24 overlay": tar(pax({"SCHILY.xattr.trusted.overlay.opaque": "y"}), entry("d/", type=b"5"), B),
        "C44 name without a map": tar(A, pax({"GNU.sparse.name": "sparse", "GNU.sparse.size": 9}), entry("f", b"123"), B),
        "C44 other version": tar(
            A, pax({"GNU.sparse.name": "s", "GNU.sparse.major": 2, "GNU.sparse.minor": 0}), entry("f", b"123"), B
        ),
        "C44 minor alone": tar(A, pax({"GNU.sparse.name": "s", "GNU.sparse.minor": 0}), entry("f", b"123"), B),
        "C44 empty map": tar(A, pax({"GNU.sparse.name": "s", "GNU.sparse.map": ""}), entry("f", b"123"), B),
    }
    for key in ("path", "linkpath", "uname", "gname", "comment", "SCHILY.xattr.user.x"):
        found[f"C37 NUL in {key}"] = tar(A, pax({key: b"a\0b"}), entry("f", b"x"), B)
        found[f"C37 NUL in the key {key}"] = tar(A, pax({key + "\0": b"a"}), entry("f", b"x"), B)
    texts = {
        "zero length": b"0 path=x\n",
        "negative length": b"-9 path=x\n",
        "too long": b"99 path=x\n",
        "too short": b"5 path=x\n",
        "no length": b"path=x\n",
        "sign": b"+10 path=x\n"[:-1] + b"\n",
        "right sign": b"+12 path=xy\n",
        "two signs": b"++13 path=xy\n",
        "zeros in front": b"0" * 30 + b"41 path=xy\n",
        "underscore": b"1_2 path=xy\n",
        "spaces in front": b"  12 path=x\n",
        "no space": b"9path=x\n\n",
        "no equals": b"9 path:x\n",
        "no key": b"6 =xx\n",
        "two equals": b"12 path=x=y\n",
        "no newline": b"9 path=xy",
        "text after it": record("path", "p") + b"xx",
        "NULs after it": record("path", "p") + bytes(5),
        "newline in value": record("path", "a\nb"),
        "shortest": b"5 a=\n",
        "shorter than shortest": b"4 =\n",
        "length like a word": b"\xb9\xb2 path=xy\n",
        "nothing": b"",
    }
    found |= {f"C61 record: {name}": tar(A, pax_text(text), entry("f", b"x"), B) for name, text in texts.items()}
    for key, width in (("uid", 12), ("gid", 12), ("mtime", 12), ("atime", 12), ("ctime", 12), ("size", 12)):
        for value in (
            "nan",
            "1e3",
            "-5",
            "+5",
            "0x10",
            " 5",
            "5 ",
            "5_0",
            "",
            "-",
            "05",
            "0" * 1200 + "5",
            str(1 << 63),
            str(-(1 << 63)),
            "٣",
        ):
            found[f"C61 {key}={value[:width]!r} of {len(value)}"] = tar(A, pax({key: value}), entry("f", b"12345"), B)
        for value in ("1.5", "-1.5", "1.", ".5", "-0.5", "1.x", "1.5.5", "1.123456789123", "99999999999999.000000001", "1.-5"):
            found[f"C42 {key}={value!r}"] = tar(A, pax({key: value}), entry("f", b"12345"), B)
    return found


def endings() -> dict[str, bytes]:
    """Traps at the end of an archive, or at what looks like one."""
    whole = tar(A, entry("f", b"x" * 1000), B)
    found = {
        "C51 no end": tar(A, B, end=0),
        "C51 one zero block": tar(A, B, end=1),
        "C52 zero block in the middle": tar(A, bytes(512), B),
        "C52 zero block first": tar(bytes(512), B),
        "C53 two zero blocks in the middle": tar(A, bytes(1024), B),
        "C53 garbage": tar(A) + b"garbage" * 100,
        "C53 garbage after zeros": tar(A, end=9) + b"secret",
        "C53 zeros only": tar(A, end=40),
        "C46 stargz": tar(A) + tar(entry("stargz.index.json", b"{}")),
        "C65 nothing": b"",
        "C65 zeros": bytes(1024),
        "C65 one zero": bytes(1),
        "C65 JSON": b'{"error": "denied"}',
        "C65 JSON, long": b'{"error": "denied"}' * 100,
        "C65 HTML": b"<!DOCTYPE html>" * 100,
        "C65 zip": b"PK\3\4" * 1000,
    }
    for size in (
        1,
        100,
        511,
        512,
        513,
        1023,
        1024,
        1025,
        1536,
        1537,
        2023,
        2024,
        2025,
        2047,
        2048,
        2049,
        2560,
        2561,
        3000,
        3072,
        3073,
    ):
        found[f"C55 cut at {size}"] = whole[:size]
    for size in (600, 1024, 1100, 1536, 1600, 2048):
        found[f"C55 PAX cut at {size}"] = tar(pax({"path": "p"}), entry("f", b"x"))[:size]
    return found


def sparse() -> dict[str, bytes]:
    """Traps in sparse files."""
    n12 = b"%011o\0".__mod__
    found = {
        "C43 old": tar(A, sparse_gnu("s", FRAGMENTS, SIZE), B),
        "C43 old, no extension": tar(A, sparse_gnu("s", FEW, SIZE), B),
        "C43 old, no data": tar(A, sparse_gnu("s", [], SIZE), B),
        "C43 old, all data": tar(A, sparse_gnu("s", [(0, b"x" * 1000)], 1000), B),
        "C43 old, empty": tar(A, sparse_gnu("s", [], 0), B),
        "C43 old, ustar magic": tar(A, entry("s", b"x", type=b"S"), B),
        "C43 old, out of order": tar(A, old_sparse(n12(512) + n12(1) + n12(0) + n12(1) + bytes(49) + n12(1000), b"xy"), B),
        "C43 old, beyond the end": tar(A, old_sparse(n12(999) + n12(2) + bytes(73) + n12(1000), b"xy"), B),
        "C43 old, base 256": tar(A, old_sparse(b"\x80" + bytes(10) + b"\5" + n12(2) + bytes(73) + n12(1000), b"xy"), B),
        "C43 old, bad number": tar(A, old_sparse(b"garbage     " + n12(2) + bytes(73) + n12(1000), b"xy"), B),
        "C43 old, less data": tar(A, old_sparse(n12(0) + n12(3) + bytes(73) + n12(1000), b"xy"), B),
        "C43 old, more data": tar(A, old_sparse(n12(0) + n12(1) + bytes(73) + n12(1000), b"xy"), B),
        "C43 old, negative size": tar(A, old_sparse(bytes(97) + b"\xff" * 12), B),
        "C43 old, bad size": tar(A, old_sparse(bytes(97) + b"garbage     "), B),
        "C43 old, no extension where one is told": old_sparse(n12(0) + n12(1) + bytes(72) + b"\1" + n12(1000), b""),
        "C43 old, PAX name": tar(A, pax({"path": "p", "size": 1024}), sparse_gnu("s", FEW, SIZE), B),
        "E14 old, 8 EiB": tar(A, old_sparse(n12(0) + n12(1) + bytes(73) + b"\x80\0\0\0\x7f" + b"\xff" * 7, b"x"), B),
        "E14 old, extensions without end": tar(A, old_sparse(bytes(96) + b"\1" + n12(1000)), (bytes(504) + b"\1" + bytes(7)) * 2100, B),
        "E14 old, many empty extensions": tar(A, old_sparse(bytes(96) + b"\1" + n12(1000)), (bytes(504) + b"\1" + bytes(7)) * 2040 + bytes(512), B),
        "C43 1.0, zeros": tar(A, sparse_10(b"0\n".ljust(512, b"\0")), B),
        "C43 1.0, no newline": tar(A, sparse_10(b"1".ljust(512, b"0")), B),
        "C43 1.0, map is cut": tar(A, sparse_10(b"1\n0\n"), B),
        "C43 1.0, no map": tar(A, sparse_10(b""), B),
        "C43 1.0, letters": tar(A, sparse_10(b"x\n0\n1\n".ljust(512, b"\0"), b"x"), B),
        "C43 1.0, negative": tar(A, sparse_10(b"-1\n".ljust(512, b"\0")), B),
        "C43 1.0, negative offset": tar(A, sparse_10(b"1\n-1\n1\n".ljust(512, b"\0"), b"x"), B),
        "C43 1.0, huge count": tar(A, sparse_10(b"9999999999\n".ljust(512, b"\0")), B),
        "C43 1.0, overlap": tar(A, sparse_10(b"2\n0\n2\n1\n1\n".ljust(512, b"\0"), b"xyz"), B),
        "C43 1.0, less data": tar(A, sparse_10(b"1\n0\n9\n".ljust(512, b"\0"), b"x"), B),
        "C43 1.0, more data": tar(A, sparse_10(b"1\n0\n1\n".ljust(512, b"\0"), b"xyz"), B),
        "C43 1.0, no size": tar(A, pax({"GNU.sparse.major": 1, "GNU.sparse.minor": 0}), entry("s", b"1\n0\n1\n".ljust(512, b"\0") + b"x"), B),
        "C43 1.0, bad size": tar(A, sparse_10(b"0\n".ljust(512, b"\0"), size="x"), B),
        "C43 1.0, negative size": tar(A, sparse_10(b"0\n".ljust(512, b"\0"), size=-1), B),
        "E14 1.0, 8 EiB": tar(A, sparse_10(b"1\n0\n1\n".ljust(512, b"\0"), b"x", size=(1 << 63) - 1), B),
        "C43 1.0, both sizes": tar(A, sparse_10(b"0\n".ljust(512, b"\0"), **{"GNU.sparse.size": 99}), B),
        "C43 1.0, a folder": tar(A, pax({"GNU.sparse.major": 1, "GNU.sparse.minor": 0}), entry("d/", type=b"5"), B),
        "C43 0.1, a link": tar(A, pax({"GNU.sparse.map": "0,1", "GNU.sparse.numblocks": 1}), entry("h", type=b"1", link="a"), B),
        "C43 0.1, bad count": tar(A, sparse_01("0,1", 2, b"x"), B),
        "C43 0.1, no number": tar(A, sparse_01("0,x", 1, b"x"), B),
        "C43 0.1, no count": tar(A, sparse_01("0,1", "", b"x"), B),
        "C43 0.1, negative count": tar(A, sparse_01("0,1", -1, b"x"), B),
        "C43 0.1, odd": tar(A, sparse_01("0,1,2", 1, b"x"), B),
        "C43 0.1, end only": tar(A, sparse_01(f"{SIZE},0", 1, b""), B),
        "C43 0.1, comma only": tar(A, sparse_01(",", 1, b""), B),
        "C43 0.1, told as 0.1": tar(A, sparse_01("0,1", 1, b"x", **{"GNU.sparse.major": 0, "GNU.sparse.minor": 1}), B),
        "C43 0.1, no size": tar(A, pax({"GNU.sparse.map": "0,1", "GNU.sparse.numblocks": 1}), entry("s", b"x"), B),
        "C43 0.0, out of order": tar(A, pax([("GNU.sparse.numbytes", 1), ("GNU.sparse.offset", 0)]), entry("s", b"x"), B),
        "C43 0.0, comma": tar(A, pax([("GNU.sparse.offset", "0,1"), ("GNU.sparse.numbytes", 1)]), entry("s", b"x"), B),
        "C43 0.0, odd": tar(A, pax([("GNU.sparse.offset", 0), ("GNU.sparse.numblocks", 1)]), entry("s", b"x"), B),
        "C43 0.0, over 0.1": tar(A, pax([("GNU.sparse.map", "x"), ("GNU.sparse.numblocks", 1), ("GNU.sparse.offset", 0), ("GNU.sparse.numbytes", 1)]), entry("s", b"x"), B),
    }  # fmt: skip
    for version in ("0.0", "0.1", "1.0"):
        found[f"C43 {version}"] = tar(A, sparse_pax("s", FRAGMENTS, SIZE, version), B)
        found[f"C43 {version}, no data"] = tar(A, sparse_pax("s", [], SIZE, version), B)
        found[f"C43 {version}, empty"] = tar(A, sparse_pax("s", [], 0, version), B)
        found[f"C43 {version}, all data"] = tar(A, sparse_pax("s", [(0, b"x" * 1000)], 1000, version), B)
        found[f"C55 {version}, cut"] = tar(A, sparse_pax("s", FRAGMENTS, SIZE, version))[:4000]
    found["C55 old, cut"] = tar(A, sparse_gnu("s", FRAGMENTS, SIZE))[:4000]
    return found


TRAPS: dict[str, bytes] = numbers() | headers() | extensions() | endings() | sparse()
