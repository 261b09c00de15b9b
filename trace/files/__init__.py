"""Files from outside: kept under their SHA-256, and believed only after a bounded child process has parsed them."""
