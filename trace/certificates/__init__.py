"""Inspection certificates: submitted with a file and result lines, reviewed, never deleted."""
