"""The witness over HTTP: two addresses, nothing else of Lotseal."""

from .app import application
from .whole import patient

__all__ = ["application", "patient"]
