"""Ask a time-stamp authority (RFC 3161) to sign that bytes exist now."""
