"""Links of a GS1 Digital Link resolver: what a product, lot, item or other identified thing leads to."""
