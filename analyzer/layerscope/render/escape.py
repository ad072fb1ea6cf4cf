"""How is untrusted text written so that it can only be read, never obeyed?

Paths, names, labels and instructions come from strangers. One function per output format makes them harmless; every
renderer and every message goes through one of them.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from urllib.parse import quote

from layerscope.regex import regex

# Letters and marks that draw nothing: Unicode's Default_Ignorable_Code_Point, as far as it is not in category Cf.
_BLANK = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    )
)
# Cc control, Cf format (bidi, zero-width), Cs surrogate, Zl and Zp line separators, Zs spaces other than the one.
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp", "Zs"))
# What the log readers of GitHub (at the start of a line, `##[` anywhere), Azure and TeamCity take for a command.
_MARK = regex(r"#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)
_COMMAND = regex(rf"^(\s*):(?=:)|{_MARK.pattern}", re.IGNORECASE)
_FORMULA = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
_PROSE = regex(r"[\\`*_\[\]<>#|~&:$^]|(?<=www)\.|^[-+=]|(?<=^\d)[.)](?=\s|$)")


def decode(path: bytes) -> str:
    """Return a path as text; bytes that are not UTF-8 become lone surrogates, which every escape makes visible."""
    return path.decode("utf-8", "surrogateescape")


def absolute(path: bytes) -> str:
    """Return a path of the image as people write it, with its leading slash; not escaped."""
    return "/" + decode(path)


def terminal(text: str) -> str:
    r"""Return text on one line in which nothing moves the cursor, reorders letters or hides: `\x1b`, `\u{202e}`.

    A backslash stays as it is, so this is for reading; JSON is for programs.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_show(letter) if _is_invisible(letter) else letter for letter in text)
    return defuse(text)


def page(text: str) -> str:
    """Return a file's text for the terminal: line breaks and tabs are obeyed, all else that moves or hides is shown."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_show(letter) if letter not in "\n\t" and _is_invisible(letter) else letter for letter in text)


def defuse(line: str) -> str:
    """Return a line that no log reader of a build service takes for a command."""
    if ":" not in line and "#" not in line:
        return line
    return _COMMAND.sub(lambda found: f"{found[1] or ''}{_show('#' if found[0] == '#' else ':')}", line)


def one_line(text: str) -> str:
    """Return an instruction or a message for the terminal, its line breaks and indents squeezed to single spaces."""
    return terminal(re.sub(r"[ \t\r\n]+", " ", text).strip())


def script(line: str) -> str:
    """Return a line of a file that people read and programs run: as `terminal`, but tabs stay what they are."""
    return defuse("\t".join(map(terminal, line.split("\t"))))


def code(text: str) -> str:
    """Return text as a Markdown code span, whose fence is longer than any run of backticks in it."""
    text = terminal(text)
    if not text.strip():
        return f"<code>{'&nbsp;' * len(text)}</code>" if text else ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def cell(text: str) -> str:
    """Return text as a code span inside a Markdown table."""
    return code(text).replace("|", "\\|")


def prose(text: str) -> str:
    """Return text as Markdown that has no markup, links, mentions or references."""
    text = _PROSE.sub(r"\\\g<0>", one_line(text))
    return re.sub(r"[@#](?=\w)", "\\g<0>\u2060", text)


def spreadsheet(text: str) -> str:
    """Return text for a CSV field that no spreadsheet takes for a formula."""
    return ("'" if text[:1] and text[0] in _FORMULA else "") + terminal(text)


def xml(text: str) -> str:
    """Return text for an XML element or attribute: no markup, none of the letters that XML 1.0 forbids, on one line."""
    text = unicode(one_line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&apos;").replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def workflow_data(text: str) -> str:
    """Return text behind the `::` of a command to GitHub's runner, which reads `%`, CR and LF there."""
    return one_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """Return text as a property of such a command, where `:` and `,` end it as well."""
    return workflow_data(text).replace(":", "%3A").replace(",", "%2C")


def uri_path(path: bytes) -> str:
    """Return a path as the path of a relative URI: percent-encoded, never empty, no scheme in its first part (E25)."""
    return quote(path.strip(b"/"), safe="/") or "%2F"


def unicode(text: str) -> str:
    """Return text as valid Unicode: lone surrogates become U+FFFD."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def path_text(path: bytes) -> str:
    """Return an absolute path as valid Unicode."""
    return "/" + path.decode("utf-8", "replace")


def path_b64(path: bytes) -> str | None:
    """Return base64 of a path's raw bytes, absolute as its text is; None when the text tells all."""
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return b64encode(b"/" + path).decode("ascii")
    return None


def json_text(text: str) -> str:
    """Return serialised JSON in which invisible letters and marks of commands stand as escapes: the same document."""
    text = _MARK.sub(r"\\u0023", text)
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(_json_escape(letter) if letter not in "\n " and _is_invisible(letter) else letter for letter in text)


def _is_invisible(letter: str) -> bool:
    return letter != " " and (unicodedata.category(letter) in _INVISIBLE or ord(letter) in _BLANK)


def _show(letter: str) -> str:
    point = ord(letter)
    if 0xDC80 <= point <= 0xDCFF:
        return f"\\x{point - 0xDC00:02x}"
    return f"\\x{point:02x}" if point < 0x80 else f"\\u{{{point:x}}}"


def _json_escape(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
