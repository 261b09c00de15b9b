"""A witness of transparency logs: a small program of its own, with its own folder and key, beside any Lotseal."""
