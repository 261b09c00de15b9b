"""Carriers: the printed symbols that hold an identifier, as matrices, PNG and SVG."""
