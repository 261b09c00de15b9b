"""Where an identified thing leads to: links that people set, and our own pages beside them.

A thing is asked for with key and qualifiers. When nothing is known of the whole, the last qualifier is left out, and so
on up to the key: item, lot, product (walking up, GS1-Conformant Resolver 1.2.0). Of each link type the links nearest to
the thing count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from ..batches import service as batches
from ..batches.models import Batch, FormerLot
from ..certificates import service as certificates
from ..certificates.models import Certificate, Status
from ..codes.model import Element
from ..credentials import service as credentials
from ..credentials.models import Credential
from ..errors import NotFound
from ..items.models import Item
from ..links.choice import Offer
from ..links.intake import path_of
from ..links.models import Link
from ..products import service as products
from ..products.models import FormerGtin, Product

PAGE_LANGUAGES = ("zh", "en")
CREDENTIALS = "/credentials/"
"""Where credentials lie, and their references behind it."""
_WITH_GTIN = ("01", "8006")


@dataclass(frozen=True)
class Answer:
    """All links of the nearest thing that is known. `anchor` is its path, `default` the one link for who asks nothing
    special; `choices` are the default links that languages, media types and contexts tell apart, `default` first."""

    anchor: str
    description_zh: str
    description_en: str
    offers: tuple[Offer, ...]
    choices: tuple[Offer, ...]
    walked_up: bool

    @property
    def default(self) -> Offer:
        return self.choices[0]

    def of_type(self, link_type: str) -> list[Offer]:
        return [offer for offer in self.offers if offer.link_type == link_type]


@dataclass(frozen=True)
class _Level:
    """One step of the way up: paths under which links may hang, and our own pages for it."""

    paths: tuple[str, ...]
    pages: tuple[Offer, ...]


# The scan page asks this before it is drawn: is there anything that could lead elsewhere, or a number to translate?
_ELSEWHERE = select(
    or_(
        exists().where(Link.is_default, or_(Link.anchor == bindparam("whole"), Link.anchor == bindparam("short"))),
        exists().where(FormerGtin.gtin == bindparam("gtin")),
        exists().where(FormerLot.lot == bindparam("lot")),
    )
)


def may_lead_elsewhere(connection: Connection, elements: Sequence[Element]) -> bool:
    """Whether a plain request for this thing might be meant for another address than our page of it."""
    values = dict(elements)
    paths = _paths_of(elements)
    asked = {"whole": paths[0], "short": paths[-1], "gtin": values.get("01", ""), "lot": values.get("10", "")}
    return bool(connection.execute(_ELSEWHERE, asked).scalar())


def find(session: Session, elements: Sequence[Element]) -> Answer | None:
    """What is known of a thing, given by key and qualifiers in order; None when nothing is."""
    product = _product(session, elements)
    today = _today(session, elements, product)
    levels = _levels(session, elements, today, product)
    hung = _links(session, (path for level in levels for path in level.paths))
    for place, level in enumerate(levels):
        if level.pages or any(path in hung for path in level.paths):
            return _answer(levels[place:], hung, product, walked_up=place > 0)
    return None


def _answer(
    levels: Sequence[_Level], hung: dict[str, list[Link]], product: Product | None, *, walked_up: bool
) -> Answer:
    offers: list[Offer] = []
    for level in levels:
        here = [_offer(link) for path in level.paths for link in hung.get(path, ())]
        taken = {offer.link_type for offer in offers}
        offers += [offer for offer in (*here, *level.pages) if offer.link_type not in taken]
    own = levels[0]
    choices = [_offer(link) for path in own.paths for link in hung.get(path, ()) if link.is_default]
    if not choices:
        choices = [replace(offer, is_default=True) for offer in (*own.pages, *offers)[:1]]
    # A link for everybody is the default of who says nothing.
    choices.sort(key=lambda offer: bool(offer.languages or offer.media_type or offer.contexts) and not offer.is_page)
    names = (product.name_zh, product.name_en) if product else (own.paths[-1], own.paths[-1])
    return Answer(own.paths[0], *names, tuple(offers), tuple(choices), walked_up)


def _offer(link: Link) -> Offer:
    return Offer(
        link.link_type,
        link.href,
        link.title,
        link.title,
        tuple(link.languages.split(",")) if link.languages else (),
        link.media_type,
        tuple(link.contexts.split(",")) if link.contexts else (),
        link.is_default,
        ref=link.ref,
    )


def _links(session: Session, paths: Iterable[str]) -> dict[str, list[Link]]:
    found: dict[str, list[Link]] = {}
    for link in session.scalars(select(Link).where(Link.anchor.in_(list(paths))).order_by(Link.id)):
        found.setdefault(link.anchor, []).append(link)
    return found


# --- the way up -------------------------------------------------------------------------------------------------------


def _paths(elements: Sequence[Element]) -> list[list[str]]:
    """The paths of each level. A serial or lot of a GTIN means the same with and without what stands before it."""
    key, *qualifiers = elements
    found = [_paths_of((key, *qualifiers[:count])) for count in range(len(qualifiers), -1, -1)]
    if key[0] == "8006":
        return found + _paths((("01", key[1][:14]), *(one for one in qualifiers if one[0] == "10")))
    return found


def _paths_of(elements: Sequence[Element]) -> list[str]:
    """One or two paths that mean the same thing, the full one first."""
    key, *qualifiers = elements
    paths = [path_of(elements)]
    if key[0] in _WITH_GTIN and len(qualifiers) > 1:
        paths.append(path_of((key, qualifiers[-1])))
    return [path for path in paths if path]


def _levels(
    session: Session, asked: Sequence[Element], today: Sequence[Element], product: Product | None
) -> list[_Level]:
    """Under today's numbers; our page of the thing itself keeps those of the question, for a signature covers them."""
    values = dict(today)
    batch = _batch(session, product, values.get("10"))
    item = _item(session, product, batch, values)
    if item is not None and batch is None:
        batch = session.get_one(Batch, item.batch_id)
    levels = [_Level(tuple(paths), ()) for paths in _paths(today)]
    pages = [_report(session, asked[0][1])] if asked[0][0] == "253" else []
    if product is None:
        return [replace(levels[0], pages=tuple(page for page in pages if page)), *levels[1:]]
    found = []
    whole = path_of(asked) or ""
    lots = _lot_level(session, product, batch) if batch else None
    for place, level in enumerate(levels):
        last = level.paths[0].split("/")[-2]
        page: tuple[Offer, ...] = ()
        if last == "21" and item is not None and asked[0][0] == "01":
            page = (_page(whole if place == 0 else level.paths[0], product, batch, is_page=place == 0),)
        elif last == "10" and lots is not None:
            page = lots.pages
            if place == 0:
                page = tuple(
                    replace(one, href=whole, is_page=True) if one.href == lots.paths[0] else one for one in page
                )
        elif last in _WITH_GTIN:
            page = (_page(whole if place == 0 else f"/01/{product.gtin}", product, None, is_page=place == 0),)
        found.append(replace(level, pages=page))
    if lots is not None and not any(lots.paths[0] in level.paths for level in found):
        # The lot of an item whose code leaves it out.
        found.insert(1, lots)
    return found


def _lot_level(session: Session, product: Product, batch: Batch) -> _Level:
    path = path_of((("01", product.gtin), ("10", batch.lot))) or ""
    page = _page(path, product, batch)
    reports = [
        _of_report(report)
        for report in certificates.of_batch(session, batch)
        if report.status in (Status.ACCEPTED, Status.WITHDRAWN) and batches.was_released(session, batch)
    ]
    kinds = ("pip", "traceability", "recallStatus")
    signed = credentials.passport_of(session, batch)
    records = [_of_passport(signed, page)] if signed and batches.was_released(session, batch) else []
    return _Level((path,), (*(replace(page, link_type=kind) for kind in kinds), *reports, *records))


def _page(path: str, product: Product, batch: Batch | None, *, is_page: bool = False) -> Offer:
    tail = f" · {batch.lot}" if batch else ""
    return Offer(
        "pip",
        path,
        f"{product.name_zh}{tail}",
        f"{product.name_en}{tail}",
        PAGE_LANGUAGES,
        "text/html",
        is_page=is_page,
    )


def _of_passport(signed: Credential, page: Offer) -> Offer:
    """Language does not matter to a signed record, and it is no page."""
    return Offer("jws", f"{CREDENTIALS}{signed.ref}", page.title_zh, page.title_en, media_type="application/vc+jwt")


def _of_report(report: Certificate) -> Offer:
    title = f"{report.laboratory} · {report.number}"
    return Offer("certificationInfo", f"/report/{report.ref}", title, title, PAGE_LANGUAGES, "text/html")


def _report(session: Session, gdti: str) -> Offer | None:
    """The public report that bears this document number."""
    refs = session.scalars(select(Certificate.ref).where(Certificate.number == gdti).order_by(Certificate.id.desc()))
    for ref in refs:
        try:
            return _of_report(certificates.get_public(session, ref))
        except NotFound:
            continue
    return None


# --- the record -------------------------------------------------------------------------------------------------------


def _product(session: Session, elements: Sequence[Element]) -> Product | None:
    ai, value = elements[0]
    if ai not in _WITH_GTIN:
        return None
    try:
        return products.by_gtin(session, value[:14])
    except NotFound:
        return None


def _today(session: Session, elements: Sequence[Element], product: Product | None) -> list[Element]:
    """The same thing under the numbers that it has now."""
    if product is None:
        return list(elements)
    key, value = elements[0]
    found = [(key, product.gtin + value[14:])]
    for ai, text in elements[1:]:
        batch = _batch(session, product, text) if ai == "10" else None
        found.append((ai, batch.lot if batch else text))
    return found


def _batch(session: Session, product: Product | None, lot: str | None) -> Batch | None:
    if product is None or lot is None:
        return None
    former = select(FormerLot.batch_id).where(FormerLot.product_id == product.id, FormerLot.lot == lot)
    return session.scalar(
        select(Batch).where(Batch.product_id == product.id, or_(Batch.lot == lot, Batch.id.in_(former)))
    )


def _item(session: Session, product: Product | None, batch: Batch | None, values: dict[str, str]) -> Item | None:
    """An issued code of this product, and of this lot when one is named."""
    if product is None or "21" not in values or ("10" in values and batch is None):
        return None
    query = (
        select(Item)
        .join(Batch, Batch.id == Item.batch_id)
        .where(Item.serial == values["21"], Batch.product_id == product.id)
    )
    return session.scalar(query.where(Item.batch_id == batch.id) if batch else query)


def is_known(session: Session, gtin: str, lot: str) -> bool:
    """Whether a lot is on record; a slash in it then cannot be taken for a part of the address."""
    found = session.scalar(
        select(func.count())
        .select_from(Batch)
        .join(Product, Product.id == Batch.product_id)
        .where(Product.gtin == gtin, Batch.lot == lot)
    )
    return bool(found)
