"""Look-ups of codes: counted durably, in groups, in a store of their own."""
