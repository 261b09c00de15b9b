"""The demo: one command builds a living system out of four product stories, all of them fictional."""

from .facts import DemoFacts
from .service import build, load
from .witnessing import FOLDER as WITNESS
from .witnessing import port as witness_port

__all__ = ["WITNESS", "DemoFacts", "build", "load", "witness_port"]
