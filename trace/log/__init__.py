"""Who did what and when: the audit acts. Their words are permanent."""

from .actor import Actor
from .service import Act, matching, record

__all__ = ["Act", "Actor", "matching", "record"]
