"""Others who saw the log: witnesses that cosign it, and time-stamp authorities."""
