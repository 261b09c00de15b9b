"""Links and the hosts that they may lead to without a word of warning."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row


class Link(Row, Base):
    """One way on from an identified thing.

    `anchor` is the path of its Digital Link in the canonical spelling (`/01/{gtin14}/10/{lot}`), under the numbers of
    today. `link_type` is a word of the GS1 Web Vocabulary without its prefix. `href` is a web address, or a path of our
    own that begins with a slash. `languages` and `contexts` are lists with commas.
    """

    __tablename__ = "link"

    anchor: Mapped[str] = mapped_column(String(300), index=True)
    link_type: Mapped[str] = mapped_column(String(60))
    href: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str] = mapped_column(String(200))
    languages: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(100), default="")
    contexts: Mapped[str] = mapped_column(String(200), default="")
    is_default: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))


class LinkHost(Row, Base):
    """A host (with its port, unless that is the usual one) that an administrator trusts."""

    __tablename__ = "link_host"

    host: Mapped[str] = mapped_column(String(260), unique=True)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
