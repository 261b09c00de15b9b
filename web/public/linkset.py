"""A linkset (RFC 9264) in the form of the GS1 schema: one context object for the thing that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ...trace.links.choice import Offer
from ...trace.links.types import DEFAULT, DEFAULT_MULTI, NAMESPACE
from ...trace.passport.offers import Answer

MEDIA_TYPE = "application/linkset+json"
CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
CONTEXT_LINK = f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'

Address = Callable[[Offer], str]
"""Makes the web address of an offer."""


def document(answer: Answer, base: str, language: str, address: Address) -> dict[str, Any]:
    """All links of a thing; `language` is zh or en."""
    context: dict[str, Any] = {
        "anchor": base + answer.anchor,
        "itemDescription": answer.description_zh if language == "zh" else answer.description_en,
        NAMESPACE + DEFAULT: [_plain(answer.default, language, address)],
    }
    if len(answer.choices) > 1:
        context[NAMESPACE + DEFAULT_MULTI] = [_full(offer, language, address) for offer in answer.choices]
    for offer in answer.offers:
        context.setdefault(NAMESPACE + offer.link_type, []).append(_full(offer, language, address))
    return {"linkset": [context]}


def choices(answer: Answer, offers: list[Offer], base: str, language: str, address: Address) -> dict[str, Any]:
    """The same with these links alone."""
    return {
        "linkset": [
            {
                "anchor": base + answer.anchor,
                "itemDescription": answer.description_zh if language == "zh" else answer.description_en,
                NAMESPACE + offers[0].link_type: [_full(offer, language, address) for offer in offers],
            }
        ]
    }


def title(offer: Offer, language: str) -> str:
    return offer.title_zh if language == "zh" else offer.title_en


def host(offer: Offer) -> str:
    """The host that a link leads to, for people; empty for a page of our own."""
    return urlsplit(offer.href).netloc


def _plain(offer: Offer, language: str, address: Address) -> dict[str, Any]:
    return {"href": address(offer), "title": title(offer, language)}


def _full(offer: Offer, language: str, address: Address) -> dict[str, Any]:
    facts: dict[str, Any] = _plain(offer, language, address)
    if offer.languages:
        facts["hreflang"] = list(offer.languages)
    if offer.media_type:
        facts["type"] = offer.media_type
    if offer.contexts:
        facts["context"] = list(offer.contexts)
    return facts
