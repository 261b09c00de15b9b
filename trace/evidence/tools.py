"""The members of a bundle that are the same in each: the two verifiers and how to check by hand."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def tools() -> dict[str, bytes]:
    """By name. They are for convenience: whoever checks takes them from a source of their own."""
    return {
        "README.txt": (files("lotseal.static") / "verify/README.txt").read_bytes(),
        "verify.html": (files("lotseal.static") / "verify/verify.html").read_bytes(),
        "verify.py": (files("lotseal.signing") / "verify.py").read_bytes(),
    }
