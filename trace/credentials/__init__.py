"""What we say about a batch and its reports in a form that others verify: credentials (W3C VC 2.0), signed as JWS, with
a list of those that were revoked. A credential proves the record, not the physical item."""
