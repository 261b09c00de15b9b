"""What is sold: products with their GTIN, and categories with their release rule."""
