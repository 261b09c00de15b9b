"""Add, change and remove links; trust hosts; correct numbers together with the links that hang on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from urllib.parse import quote, urlsplit

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from .. import log
from ..accounts.models import Account, Role
from ..batches import service as batches
from ..batches.models import Batch, FormerLot
from ..db.search import containing
from ..errors import Conflict, Invalid, Problem, conflict, invalid, not_found, say
from ..log import Act, Actor
from ..products import service as products
from ..products.models import FormerGtin, Product
from .intake import LinkDraft, read_table
from .models import Link, LinkHost
from .targets import read_host

_GTIN_AT = len("/01/") + 1
SAME = ("anchor", "link_type", "href", "languages", "media_type", "contexts")
"""What makes two links the same one."""


def add(session: Session, draft: LinkDraft, *, by: Actor, at: datetime) -> Link:
    """Raises `Conflict` for a link that is there already, or a second default of the same kind; `Invalid` when a
    supplier names a thing that is not its own."""
    draft = _under_todays_numbers(session, draft)
    _refuse_strange(session, draft.anchor, by)
    _refuse_twin(session, draft, None)
    link = Link(**asdict(draft), added_at=at, added_by=by.name)
    session.add(link)
    session.flush()
    log.record(session, Act.LINK_ADD, by=by, at=at, subject=subject(link), **asdict(draft))
    return link


def change(session: Session, link: Link, draft: LinkDraft, *, by: Actor, at: datetime) -> list[str]:
    """Says which facts changed. Raises as `add` does."""
    draft = _under_todays_numbers(session, draft)
    _refuse_strange(session, draft.anchor, by)
    _refuse_twin(session, draft, link.id)
    changed = {
        name: [getattr(link, name), value] for name, value in asdict(draft).items() if getattr(link, name) != value
    }
    for name in changed:
        setattr(link, name, getattr(draft, name))
    if changed:
        session.flush()
        log.record(session, Act.LINK_CHANGE, by=by, at=at, subject=subject(link), changed=changed)
    return list(changed)


def remove(session: Session, link: Link, *, by: Actor, at: datetime) -> None:
    facts = {name: getattr(link, name) for name in (*SAME, "title", "is_default")}
    log.record(session, Act.LINK_REMOVE, by=by, at=at, subject=subject(link), **facts)
    session.delete(link)
    session.flush()


def add_all(session: Session, rows: Sequence[Mapping[str, str]], *, by: Actor, at: datetime) -> list[Link]:
    """All rows of a table or none: raises `Invalid` with every wrong cell as `rows-N.column` (see
    `intake.read_table`). The caller's transaction must end with the error."""
    drafts = read_table(rows)
    links, problems = [], []
    for number, draft in enumerate(drafts, start=2):
        try:
            links.append(add(session, draft, by=by, at=at))
        except (Conflict, Invalid) as error:
            problems += [Problem(f"rows-{number}.{one.field or 'of'}", one.rule, one.message) for one in error.problems]
    if problems:
        raise Invalid(*problems)
    return links


def subject(link: Link) -> str:
    return f"link:{link.ref}"


def _under_todays_numbers(session: Session, draft: LinkDraft) -> LinkDraft:
    """Whoever types a number that was corrected means the thing that has another one today."""
    head, gtin, rest = draft.anchor[:4], draft.anchor[4:18], draft.anchor[18:]
    if head != "/01/":
        return draft
    product = session.scalar(
        select(Product).join(FormerGtin, FormerGtin.product_id == Product.id).where(FormerGtin.gtin == gtin)
    ) or session.scalar(select(Product).where(Product.gtin == gtin))
    if product is None:
        return draft
    for lot, today in session.execute(
        select(FormerLot.lot, Batch.lot)
        .join(Batch, Batch.id == FormerLot.batch_id)
        .where(FormerLot.product_id == product.id)
    ):
        rest = _moved(rest, f"/10/{quote(lot, safe='')}", f"/10/{quote(today, safe='')}")
    return LinkDraft(**{**asdict(draft), "anchor": f"/01/{product.gtin}{rest}"})


def _moved(path: str, before: str, after: str) -> str:
    """The path with one whole part exchanged."""
    return f"{path}/".replace(f"{before}/", f"{after}/", 1)[:-1]


def _refuse_strange(session: Session, anchor: str, by: Actor) -> None:
    if not isinstance(by, Account) or by.role != Role.SUPPLIER:
        return
    gtin = anchor[4:18] if anchor.startswith("/01/") else ""
    if session.scalar(products.visible(by).where(Product.gtin == gtin)) is None:
        raise invalid(
            "of",
            "link.not-yours",
            say("This is none of your products. A link of yours begins with one of their GTINs."),
        )


def _refuse_twin(session: Session, draft: LinkDraft, own: int | None) -> None:
    others = select(Link.id).where(Link.id != (own or 0))
    same = others.where(*(getattr(Link, name) == getattr(draft, name) for name in SAME))
    if session.scalar(same.limit(1)):
        raise conflict("link.taken", say("This link is there already."), field="href")
    if draft.is_default:
        kind = ("anchor", "languages", "media_type", "contexts")
        taken = others.where(Link.is_default, *(getattr(Link, name) == getattr(draft, name) for name in kind))
        if session.scalar(taken.limit(1)):
            raise conflict(
                "link.default-taken",
                say("There is a default link for these languages, media type and contexts already. Change that one."),
                field="is_default",
            )


# --- looking ----------------------------------------------------------------------------------------------------------


def visible(account: Account | None) -> Select[Link]:
    """Suppliers see the links of their own products; all others see all."""
    query = select(Link)
    if account is not None and account.role == Role.SUPPLIER:
        own = select(Product.gtin).where(Product.supplier_id == account.supplier_id)
        query = query.where(Link.anchor.startswith("/01/"), func.substr(Link.anchor, _GTIN_AT, 14).in_(own))
    return query


def matching(query: Select[Link], search: str = "", under: str = "") -> Select[Link]:
    """Narrow by anchor, address or title, and to a thing with all that is below it."""
    if under:
        query = query.where(_under(under))
    return query.where(containing(search, Link.anchor, Link.href, Link.title)) if search else query


def _under(anchor: str) -> ColumnElement[bool]:
    return or_(Link.anchor == anchor, Link.anchor.startswith(f"{anchor}/", autoescape=True))


def get(session: Session, ref: str, *, account: Account | None = None) -> Link:
    link = session.scalar(visible(account).where(Link.ref == ref))
    if link is None:
        raise not_found("link.unknown", say("There is no such link."))
    return link


# --- trusted hosts ----------------------------------------------------------------------------------------------------


def allow_host(session: Session, text: str, *, by: Actor, at: datetime) -> LinkHost:
    """Links to this host lead there at once, without a word of warning. Raises `Invalid` or `Conflict`."""
    host = read_host(text)
    if session.scalar(select(LinkHost.id).where(LinkHost.host == host)):
        raise conflict("link.host-taken", say("This host is on the list already."), field="host")
    row = LinkHost(host=host, added_at=at, added_by=by.name)
    session.add(row)
    session.flush()
    log.record(session, Act.LINK_HOST_ALLOW, by=by, at=at, subject=f"link-host:{row.ref}", host=host)
    return row


def refuse_host(session: Session, row: LinkHost, *, by: Actor, at: datetime) -> None:
    """From now on links to this host show a word of warning first."""
    log.record(session, Act.LINK_HOST_REFUSE, by=by, at=at, subject=f"link-host:{row.ref}", host=row.host)
    session.delete(row)
    session.flush()


def hosts(session: Session) -> Sequence[LinkHost]:
    return session.scalars(select(LinkHost).order_by(LinkHost.host)).all()


def get_host(session: Session, ref: str) -> LinkHost:
    row = session.scalar(select(LinkHost).where(or_(LinkHost.ref == ref, LinkHost.host == ref.strip().lower())))
    if row is None:
        raise not_found("link.host-unknown", say("This host is not on the list."))
    return row


def trusted(session: Session, href: str) -> bool:
    """Whether a web address, as `targets.read_target` gives it, lies at a host of the list."""
    return session.scalar(select(LinkHost.id).where(LinkHost.host == urlsplit(href).netloc)) is not None


# --- corrected numbers ------------------------------------------------------------------------------------------------


def correct_gtin(session: Session, product: Product, raw: Mapping[str, str], *, by: Actor, at: datetime) -> None:
    """Give a product its right GTIN. Fields: gtin, reason (public). Printed codes keep answering; links move along.
    Raises `Invalid` or `Conflict`."""
    before = products.renumber(session, product, raw, by=by, at=at)
    old, new = f"/01/{before}", f"/01/{product.gtin}"
    _move(session, _under(old), lambda anchor: new + anchor[len(old) :], by=by, at=at)


def correct_lot(session: Session, batch: Batch, raw: Mapping[str, str], *, by: Actor, at: datetime) -> None:
    """Give a batch its right lot. Fields: lot, reason (public). Printed codes keep answering; links move along. Raises
    `Invalid` or `Conflict`."""
    before = batches.renumber(session, batch, raw, by=by, at=at)
    old, new = f"/10/{quote(before, safe='')}", f"/10/{quote(batch.lot, safe='')}"
    of_product = f"/01/{batch.product.gtin}"
    below = and_(_under(of_product), Link.anchor.contains(old, autoescape=True))
    _move(session, below, lambda anchor: _moved(anchor, old, new), by=by, at=at)


def _move(
    session: Session, which: ColumnElement[bool], moved: Callable[[str], str], *, by: Actor, at: datetime
) -> None:
    """Links follow a corrected number; each move is a change of the link and stands in its history."""
    for link in session.scalars(select(Link).where(which).order_by(Link.id)).all():
        before, after = link.anchor, moved(link.anchor)
        if after == before:
            continue
        link.anchor = after
        log.record(session, Act.LINK_CHANGE, by=by, at=at, subject=subject(link), changed={"anchor": [before, after]})
    session.flush()
