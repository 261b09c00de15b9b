"""Labels on sheets: drawn at true size and read back before they are offered."""
