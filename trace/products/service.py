"""Add and change products and categories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from .. import log
from ..accounts.models import Account, Role
from ..codes.gtin import read_gtin
from ..db.search import containing
from ..errors import conflict, invalid, not_found, say
from ..intake import Intake
from ..log import Act, Actor
from ..suppliers.models import Supplier
from .models import Category, FormerGtin, Product


@dataclass(frozen=True)
class CategoryDraft:
    code: str
    name_zh: str
    name_en: str
    requires_lab_test: bool


@dataclass(frozen=True)
class ProductDraft:
    gtin: str
    name_zh: str
    name_en: str
    spec: str
    category: str
    after_sales_zh: str
    after_sales_en: str


def _read_code(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,39}", text):
        raise invalid(
            "code", "category.code", say("Take 2 to 40 characters from a–z, 0–9 and -, beginning with a letter.")
        )
    return text


def read_category(raw: Mapping[str, str]) -> CategoryDraft:
    intake = Intake(raw)
    draft = CategoryDraft(
        code=intake.own("code", _read_code, placeholder=""),
        name_zh=intake.text("name_zh", most=60),
        name_en=intake.text("name_en", most=60),
        requires_lab_test=intake.flag("requires_lab_test"),
    )
    intake.done()
    return draft


def add_category(session: Session, draft: CategoryDraft, *, by: Actor, at: datetime) -> Category:
    if session.scalar(select(Category.id).where(Category.code == draft.code)):
        raise conflict("category.code-taken", say("There is a category with this code already."), field="code")
    category = Category(**asdict(draft))
    session.add(category)
    session.flush()
    log.record(session, Act.CATEGORY_ADD, by=by, at=at, subject=f"category:{category.ref}", **asdict(draft))
    return category


def change_category(session: Session, category: Category, draft: CategoryDraft, *, by: Actor, at: datetime) -> None:
    """Names and rule. The rule counts for releases from now on; released batches stay released. Raises `Conflict` when
    the code would change (imports and scripts name the category by it)."""
    if draft.code != category.code:
        raise conflict("category.code-fixed", say("The code of a category cannot change. Add a new one."), field="code")
    changed = {}
    for name, value in asdict(draft).items():
        if getattr(category, name) != value:
            changed[name] = [getattr(category, name), value]
            setattr(category, name, value)
    if changed:
        log.record(session, Act.CATEGORY_CHANGE, by=by, at=at, subject=f"category:{category.ref}", changed=changed)


def get_category(session: Session, ref: str) -> Category:
    category = session.scalar(select(Category).where(Category.ref == ref))
    if category is None:
        raise not_found("category.unknown", say("There is no such category."))
    return category


def categories(session: Session) -> Sequence[Category]:
    return session.scalars(select(Category).order_by(Category.code)).all()


def read_product(raw: Mapping[str, str]) -> ProductDraft:
    """Raises `Invalid` naming every field that is wrong."""
    intake = Intake(raw)
    draft = ProductDraft(
        gtin=intake.own("gtin", read_gtin, placeholder=""),
        name_zh=intake.text("name_zh", most=60),
        name_en=intake.text("name_en", most=100),
        spec=intake.text("spec", most=60, required=False),
        category=intake.reference("category") or "",
        after_sales_zh=intake.text("after_sales_zh", most=1000, required=False, lines=True),
        after_sales_en=intake.text("after_sales_en", most=1000, required=False, lines=True),
    )
    intake.done()
    return draft


def _category(session: Session, code: str) -> Category:
    category = session.scalar(select(Category).where(Category.code == code))
    if category is None:
        raise invalid("category", "category.unknown", say("There is no such category. Choose one from the list."))
    return category


def add(session: Session, draft: ProductDraft, supplier: Supplier, *, by: Actor, at: datetime) -> Product:
    """Raises `Conflict` when the GTIN is in use, or was until it was corrected."""
    _refuse_taken(session, draft.gtin)
    facts = asdict(draft)
    category = _category(session, facts.pop("category"))
    product = Product(**facts, category=category, supplier=supplier, added_at=at, added_by=by.name)
    session.add(product)
    session.flush()
    log.record(
        session,
        Act.PRODUCT_ADD,
        by=by,
        at=at,
        subject=f"product:{product.ref}",
        supplier=supplier.ref,
        **asdict(draft),
    )
    return product


def _refuse_taken(session: Session, gtin: str, own: int | None = None) -> None:
    if session.scalar(select(Product.id).where(Product.gtin == gtin)):
        raise conflict(
            "product.gtin-taken", say("A product with this GTIN is there already. Open it instead."), field="gtin"
        )
    owner = session.scalar(select(FormerGtin.product_id).where(FormerGtin.gtin == gtin))
    if owner is not None and owner != own:
        raise conflict(
            "product.gtin-was",
            say("This GTIN belonged to another product before it was corrected, and stands on its printed codes."),
            field="gtin",
        )


def change(session: Session, product: Product, draft: ProductDraft, *, by: Actor, at: datetime) -> None:
    """Everything but the GTIN, which stands on printed codes."""
    if draft.gtin != product.gtin:
        raise conflict(
            "product.gtin-fixed",
            say("The GTIN stands on printed codes. If it was mistyped, correct the number with a reason instead."),
            field="gtin",
        )
    facts = asdict(draft)
    category = _category(session, facts.pop("category"))
    changed = {
        name: [getattr(product, name), value] for name, value in facts.items() if getattr(product, name) != value
    }
    for name, value in facts.items():
        setattr(product, name, value)
    if product.category_id != category.id:
        changed["category"] = [product.category.code, category.code]
        product.category = category
    log.record(session, Act.PRODUCT_CHANGE, by=by, at=at, subject=f"product:{product.ref}", changed=changed)


def renumber(session: Session, product: Product, raw: Mapping[str, str], *, by: Actor, at: datetime) -> str:
    """Correct a GTIN that was wrong. Fields: gtin, reason (public). The old number keeps leading to this product; says
    which it was. Links are moved along by `links.service.correct_gtin`, which front doors call."""
    intake = Intake(raw)
    gtin = intake.own("gtin", read_gtin, placeholder="")
    reason = intake.text("reason", most=500, lines=True)
    intake.done()
    if gtin == product.gtin:
        raise conflict("product.gtin-same", say("This is the number that the product has already."), field="gtin")
    _refuse_taken(session, gtin, own=product.id)
    before = product.gtin
    session.execute(delete(FormerGtin).where(FormerGtin.gtin == gtin))
    session.add(FormerGtin(product_id=product.id, gtin=before, reason=reason, at=at, by=by.name))
    product.gtin = gtin
    session.flush()
    log.record(
        session,
        Act.PRODUCT_RENUMBER,
        by=by,
        at=at,
        subject=f"product:{product.ref}",
        changed={"gtin": [before, gtin]},
        reason=reason,
    )
    return before


def former_numbers(session: Session, product: Product) -> Sequence[FormerGtin]:
    """The numbers that this product had before, oldest first."""
    query = select(FormerGtin).where(FormerGtin.product_id == product.id).order_by(FormerGtin.id)
    return session.scalars(query).all()


def set_picture(session: Session, product: Product, *, picture: str, original: str, by: Actor, at: datetime) -> None:
    """Both are SHA-256 of stored files: the small page picture and the bytes as they came."""
    product.picture, product.picture_original = picture, original
    log.record(
        session,
        Act.PRODUCT_PICTURE,
        by=by,
        at=at,
        subject=f"product:{product.ref}",
        picture=picture,
        original=original,
    )


def visible(account: Account | None) -> Select[Product]:
    query = select(Product).join(Product.supplier)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.where(Product.supplier_id == account.supplier_id)
    return query


def matching(query: Select[Product], search: str) -> Select[Product]:
    if not search:
        return query
    return query.where(containing(search, Product.name_zh, Product.name_en, Product.gtin))


def get(session: Session, ref: str, *, account: Account | None = None) -> Product:
    product = session.scalar(visible(account).where(Product.ref == ref))
    if product is None:
        raise not_found("product.unknown", say("There is no such product."))
    return product


def by_gtin(session: Session, gtin: str, *, account: Account | None = None) -> Product:
    """Also by a number that was corrected since."""
    former = select(FormerGtin.product_id).where(FormerGtin.gtin == gtin)
    product = session.scalar(visible(account).where(or_(Product.gtin == gtin, Product.id.in_(former))))
    if product is None:
        raise not_found("product.unknown", say("There is no product with this GTIN."))
    return product
