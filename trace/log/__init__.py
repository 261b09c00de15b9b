"""Who did what and when: the audit acts. Their words are permanent."""

from .service import Act, Actor, record

__all__ = ["Act", "Actor", "record"]
