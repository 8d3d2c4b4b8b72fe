"""The key of a page, written again from RFC 3986 (6.2.2 and 6.2.3), for the default settings."""

import re
import string
from urllib.parse import quote

UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")
DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}


def unescaped(match):
    """A run of escapes, of which unreserved characters and those outside ASCII are written as themselves. The first one
    stays an escape if it would complete an escape that is cut off before it."""
    out = ""
    cut_off = re.search(r"%[0-9A-Fa-f]?$", match.string[:match.start()])
    # A byte that is no UTF-8 becomes a surrogate.
    for c in bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "surrogateescape"):
        completes = cut_off and not out and c in string.hexdigits
        plain = not completes and (UNRESERVED.fullmatch(c) if c.isascii() else c.isprintable())
        out += c if plain else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogateescape"))
    return out


def authority_key(scheme, authority):
    """The host in lower case, its escapes apart, without the default port."""
    user, at, place = authority.rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or (":" in host and not re.fullmatch(r"\[.*\]", host)):
        host, port = place, ""
    host = re.sub(r"(%[0-9A-F]{2})|[^%]+|%", lambda match: match[0] if match[1] else match[0].lower(), host)
    port = re.sub(r"^0+(?=\d)", "", port) if re.fullmatch(r"[0-9]*", port) else port
    return user + at + host + (f":{port}" if port and port != DEFAULT_PORTS.get(scheme) else "")


def without_dot_segments(path):
    """RFC 3986, 5.2.4, for a path that begins with a slash."""
    out = []
    *folders, last = path.split("/")[1:]
    for segment in folders:
        if segment == "..":
            out = out[:-1]
        elif segment != ".":
            out.append(segment)
    if last == "..":
        out = out[:-1]
    return "/" + "/".join([*out, "" if last in (".", "..") else last])


def page_key(sent):
    """The key of a page: without query and fragment."""
    text = "".join(quote(c) if c == " " or not c.isprintable() else c for c in sent)
    text = re.sub(r"(?:%[0-9A-Fa-f]{2})+", unescaped, text)
    text = text.partition("#")[0].partition("?")[0]
    url = re.fullmatch(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(.*)", text, re.DOTALL)
    scheme, authority, path = url.groups() if url else ("", "", text)
    prefix = f"{scheme.lower()}://{authority_key(scheme.lower(), authority)}" if url else ""
    path = path or "/"
    return prefix + (without_dot_segments(path) if path.startswith("/") else path)
