"""The rules of GS1's linkset schema and of RFC 9264, in our own words: what is wrong with a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

ADDRESS = re.compile(r"https?://[A-Za-z0-9./]")
RELATION = re.compile(r"[a-z-]+|https?://[A-Za-z0-9./]+")
LANGUAGE = re.compile(r"[A-Za-z]{2}(-[A-Za-z]{2})?")
MEDIA_TYPE = re.compile(r"[A-Za-z0-9]+/[-+.A-Za-z0-9]+")
LINK = {"href", "title", "hreflang", "type", "context", "fwqs", "public"}


def faults(document: Any) -> list[str]:
    """Empty for a right linkset."""
    if not isinstance(document, dict) or set(document) != {"linkset"} or not isinstance(document["linkset"], list):
        return ["the document is an object with a list called linkset and nothing else"]
    return [fault for context in document["linkset"] for fault in _of_context(context)]


def _of_context(context: dict[str, Any]) -> Iterator[str]:
    if not isinstance(context.get("anchor"), str) or not ADDRESS.match(context["anchor"]):
        yield "a context has a web address as anchor"
    if not isinstance(context.get("itemDescription"), str):
        yield "a context has itemDescription as text"
    for name, links in context.items():
        if name in ("anchor", "itemDescription"):
            continue
        if not RELATION.fullmatch(name):
            yield f"{name} is neither a registered relation nor a plain address"
        if not isinstance(links, list):
            yield f"{name} is a list"
            continue
        for link in links:
            yield from _of_link(name, link)


def _of_link(name: str, link: dict[str, Any]) -> Iterator[str]:
    if extra := set(link) - LINK:
        yield f"{name}: unknown {extra}"
    if not isinstance(link.get("href"), str) or not ADDRESS.match(link["href"]):
        yield f"{name}: href is a web address"
    if not isinstance(link.get("title"), str):
        yield f"{name}: title is text"
    languages = link.get("hreflang", [])
    if not isinstance(languages, list) or not all(LANGUAGE.fullmatch(one) for one in languages):
        yield f"{name}: hreflang is a list of xx or xx-XX"
    if "type" in link and not MEDIA_TYPE.fullmatch(link["type"]):
        yield f"{name}: type is a media type"
    if not isinstance(link.get("context", []), list):
        yield f"{name}: context is a list"
