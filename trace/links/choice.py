"""Which of several links a reader wants: by language, then by context, then by media type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Weighed = tuple[tuple[str, float], ...]
"""Values with their weight from 0 to 1, the most wanted first."""

# What is written for everybody comes behind what is wanted and before what is not.
_FOR_ALL = 0.0005


@dataclass(frozen=True)
class Wish:
    """What the reader asks for. An empty list means that nothing was said."""

    languages: Weighed = ()
    media: Weighed = ()
    context: str = ""


@dataclass(frozen=True)
class Offer:
    """One link as a reader gets it. `href` is a web address, or a path of our own that begins with a slash."""

    link_type: str
    href: str
    title_zh: str
    title_en: str
    languages: tuple[str, ...] = ()
    media_type: str = ""
    contexts: tuple[str, ...] = ()
    is_default: bool = False
    is_page: bool = False
    """Whether this is the page of the very thing that was asked for."""
    ref: str = ""
    """The reference of the link on record; empty for pages of our own."""


def choose(offers: Sequence[Offer], wish: Wish) -> list[Offer]:
    """The best offer; several when nothing tells them apart. Of those that differ only in what was not asked for, the
    default or else the first one."""
    scored = [(_score(offer, wish), offer) for offer in offers]
    if not scored:
        return []
    best = max(score for score, _offer in scored)
    equal = [offer for score, offer in scored if score == best]
    first = next((offer for offer in equal if offer.is_default), equal[0])
    if first.is_default:
        return [first]
    return [offer for offer in equal if _kind(offer) == _kind(first)]


def _kind(offer: Offer) -> tuple[frozenset[str], str, frozenset[str]]:
    return frozenset(offer.languages), offer.media_type, frozenset(offer.contexts)


def _score(offer: Offer, wish: Wish) -> tuple[float, int, float]:
    return _language(offer, wish), _context(offer, wish), _medium(offer, wish)


def _language(offer: Offer, wish: Wish) -> float:
    if not wish.languages:
        return 0.0
    if not offer.languages:
        return _FOR_ALL
    return max(_weight_of_language(language, wish.languages) for language in offer.languages)


def _weight_of_language(language: str, wanted: Weighed) -> float:
    """The whole tag, else the same language of another country, else any; a finer match wins at equal weight."""
    offered = language.lower()
    exact = {tag.lower(): weight for tag, weight in wanted}
    if offered in exact:
        return exact[offered]
    head = offered.partition("-")[0]
    alike = [weight for tag, weight in wanted if tag.lower().partition("-")[0] == head]
    if alike:
        return max(0.0, max(alike) - 0.0001)
    return max(0.0, exact.get("*", 0.0) - 0.0002)


def _context(offer: Offer, wish: Wish) -> int:
    if wish.context and wish.context.lower() in (word.lower() for word in offer.contexts):
        return 2
    return 0 if offer.contexts else 1


def _medium(offer: Offer, wish: Wish) -> float:
    if not wish.media:
        return 0.0
    if not offer.media_type:
        return _FOR_ALL
    family = offer.media_type.partition("/")[0]
    weights = dict(wish.media)
    for kind in (offer.media_type, f"{family}/*", "*/*"):
        if kind in weights:
            return weights[kind]
    return 0.0
