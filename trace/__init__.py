"""What the business is: suppliers, products, batches, items, certificates, look-ups. Knows no web framework."""
