"""Identifiers: GTIN, lot, Digital Link, what people type. Pure, no store."""
