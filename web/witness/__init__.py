"""The witness over HTTP: two addresses, nothing else of Lotseal."""

from .app import application

__all__ = ["application"]
