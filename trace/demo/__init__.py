"""The demo: one command builds a living system out of four product stories, all of them fictional."""

from .facts import DemoFacts
from .service import build, load

__all__ = ["DemoFacts", "build", "load"]
