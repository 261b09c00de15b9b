"""Who did what and when: the audit acts. Their words are permanent."""

from .actor import Actor
from .entries import time_text
from .service import Act, matching, record

__all__ = ["Act", "Actor", "matching", "record", "time_text"]
