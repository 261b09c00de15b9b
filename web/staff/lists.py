"""Lists with search, sorting and paging, all of it in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")
PAGE = 50
MOST_SEARCH = 100


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One page of a list, with what the table's head, search form and paging need (`keep` is the query to keep)."""

    rows: Sequence[T]
    page: int
    pages: int
    total: int
    q: str
    sort: str
    keep: dict[str, str]


def searched() -> str:
    """The search text of this request."""
    return request.args.get("q", "").strip()[:MOST_SEARCH]


def chosen(name: str, allowed: Sequence[str]) -> str:
    """A filter of this request: one of `allowed`, or empty."""
    value = request.args.get(name, "")
    return value if value in allowed else ""


def listing(
    db: Session,
    query: Select[T],
    *,
    by: Mapping[str, InstrumentedAttribute[Any]],
    default: str,
    also: Mapping[str, str] | None = None,
) -> Listing[T]:
    """The wanted page of `query`. `by` maps sort words to columns; `default` is a sort word, with - for downwards;
    `also` holds filters of the address that links must keep."""
    wanted = request.args.get("sort", default)
    sort = wanted if wanted.lstrip("-") in by else default
    column = by[sort.lstrip("-")]
    total = db.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    down = sort.startswith("-")
    ordered = query.order_by(*(key.desc() if down else key.asc() for key in (column, _tie(query))))
    rows = db.scalars(ordered.limit(PAGE).offset((page - 1) * PAGE)).unique().all()
    keep = {"q": searched(), "sort": sort} | dict(also or {})
    return Listing(rows, page, pages, total, searched(), sort, {name: value for name, value in keep.items() if value})


def _tie(query: Select[T]) -> Any:
    """Rows that sort alike keep one order, so that no page repeats or skips one."""
    return query.column_descriptions[0]["entity"].id
