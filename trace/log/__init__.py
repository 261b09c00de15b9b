"""Who did what and when: the audit acts. Their words are permanent."""

from .service import Act, Actor, matching, record

__all__ = ["Act", "Actor", "matching", "record"]
