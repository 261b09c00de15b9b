"""Lotseal (溯印): batch origin, inspection certificates and supplier data behind signed codes."""

__version__ = "0.1.0"
