"""Laboratories whose reports come in: who they are, and the certificates that their signatures may end in."""
