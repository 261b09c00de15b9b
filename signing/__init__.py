"""Bytes in, bytes out: keys, canonical forms, item codes and signed snapshots.

A valid signature proves the record, never the physical item. Nothing here knows a clock, a file, a database or a
web request. Every verification returns None or raises a typed error of `signing.errors` that names its rule.
"""
