"""Where a link may lead to, and where it may not: checked when it is typed and again when it is followed."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from ..errors import Invalid, invalid, say

MOST: Final = 2000
_URI: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@%][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_INSIDE: Final = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa", ".test")
_PORTS: Final = {"http": 80, "https": 443}


def read_target(text: str) -> str:
    """One spelling of a public web address, or of a path of our own that begins with one slash.

    Raises `Invalid`: `link.control`, `link.scheme`, `link.host`, `link.user`, `link.private`, `link.port`,
    `link.characters`, `link.too-long`.
    """
    if any(ord(character) < 33 or ord(character) == 127 for character in text.strip(" ")) or "\\" in text:
        raise invalid(
            "href",
            "link.control",
            say("Spaces, line breaks and backslashes cannot stand in a web address. Copy the address anew."),
        )
    text = quote(text.strip(" "), safe="-._~:/?#[]@!$&'()*+,;=%") if not text.isascii() else text.strip(" ")
    if len(text) > MOST:
        raise invalid(
            "href",
            "link.too-long",
            say("This has %(count)d characters. Shorten it to at most %(most)d.", count=len(text), most=MOST),
        )
    if text.startswith("/"):
        return _own_path(text)
    parts = _split(text)
    if parts.scheme not in ("http", "https"):
        raise invalid(
            "href", "link.scheme", say("A link begins with https:// or http://, or with / for a page of this service.")
        )
    if "@" in parts.netloc:
        raise invalid(
            "href", "link.user", say("A user name or password cannot stand in a link. Take out everything before @.")
        )
    if not _URI.fullmatch(text) or re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise invalid(
            "href",
            "link.characters",
            say("A character of this address has to be written as %XX. Copy it from the browser's address bar."),
        )
    host = host_of(parts)
    return f"{parts.scheme}://{host}{text[text.index('//') + 2 + len(parts.netloc) :] or '/'}"


def _own_path(text: str) -> str:
    # Browsers read two slashes, also with dots between them, as the beginning of another host.
    if not _PATH.fullmatch(text) or re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise invalid("href", "link.path", say("A page of this service begins with one slash, such as /report/…."))
    return text


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise _no_host() from None


def _no_host() -> Invalid:
    return invalid(
        "href", "link.host", say("Behind https:// a full host name must stand, such as www.example.cn, then the path.")
    )


def host_of(parts: SplitResult) -> str:
    """Host in small letters, with its port where that is not the usual one. Raises `Invalid` for what is no public
    host."""
    try:
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid("href", "link.port", say("The port behind the host is no number from 1 to 65535.")) from None
    host = f"[{_public_six(name)}]" if ":" in name else _public_name(name)
    if port == 0:
        raise invalid("href", "link.port", say("The port behind the host is no number from 1 to 65535."))
    return host if port is None or port == _PORTS[parts.scheme] else f"{host}:{port}"


def _public_name(name: str) -> str:
    if not name or len(name) > 253:
        raise _no_host()
    name = _ascii(name)
    last = name.rpartition(".")[2]
    # Browsers take a host whose last part is a number, also 0x7f, for an address in one of many spellings.
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        try:
            address = ipaddress.IPv4Address(name)
        except ValueError:
            raise _no_host() from None
        _refuse_private(address)
        return name
    if name == "localhost" or name.endswith(_INSIDE):
        raise _private()
    if not _NAME.fullmatch(name):
        raise _no_host()
    return name


def _ascii(name: str) -> str:
    # `read_target` escaped what is not ASCII; a host in Chinese is asked for in its ASCII form (xn--…).
    if "%" in name:
        raise invalid(
            "href", "link.host-letters", say("Write a host in other letters in its ASCII form, which begins with xn--.")
        )
    return name.lower()


def _public_six(name: str) -> str:
    try:
        address = ipaddress.IPv6Address(name)
    except ValueError:
        raise _no_host() from None
    # Any address inside of which another one is wrapped could lead to a private one.
    if address.ipv4_mapped or address.sixtofour or address.teredo or address in ipaddress.ip_network("64:ff9b::/96"):
        raise _private()
    _refuse_private(address)
    return str(address)


def _refuse_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        raise _private()


def _private() -> Invalid:
    return invalid(
        "href",
        "link.private",
        say("This host is only reachable inside a network. A link leads to a host that everyone can reach."),
    )


def read_host(text: str) -> str:
    """A host for the list of trusted ones, as `www.example.cn` or `example.cn:8443`. Raises `Invalid`."""
    text = text.strip().lower().removeprefix("https://").rstrip("/")
    try:
        target = read_target(f"https://{text}/")
        if urlsplit(target).path != "/" or target.count("/") != 3 or "?" in target or "#" in target:
            raise _no_host()
    except Invalid as error:
        raise Invalid(*(type(one)("host", one.rule, one.message) for one in error.problems)) from None
    return urlsplit(target).netloc
