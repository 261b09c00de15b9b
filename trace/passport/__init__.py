"""All the public sees of a product, batch or item, as one read model."""
