"""What the log says against what the record says: differences by name, and samples that anybody can draw again."""
