"""The gate before sale: what is still missing, and the signed snapshot once nothing is."""
