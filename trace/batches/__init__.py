"""Lots: where they come from, when, how much, and in which state they are."""
