"""The few ways in which signed material is refused.

Every error carries `rule`, a permanent word that callers map to a sentence for people, and `facts`, the values which
that sentence needs. The message itself is for logs. It never holds a secret or a passphrase.
"""

from __future__ import annotations


class SigningError(Exception):
    """Signed or sealed material was refused; `rule` says by which rule, `facts` holds the values for a sentence."""

    def __init__(self, rule: str, message: str, **facts: str | int) -> None:
        # Both go into args, so that the error survives pickling between worker processes.
        super().__init__(rule, message)
        self.rule = rule
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.message} [{self.rule}]"


class BadSignature(SigningError):
    """The form is right, but the signature or tag does not belong to these bytes and this key."""


class UnknownKey(SigningError):
    """The material names a key that the caller does not hold."""


class Malformed(SigningError):
    """The material breaks a rule of form; nothing was verified."""


class BadProof(SigningError):
    """The form is right, but the proof does not lead to the root of this tree."""


class Missing(SigningError):
    """A part that is needed to go on, such as a tile of a log, is not there."""


class PolicyNotMet(SigningError):
    """Everything verified, but the policy asks for a log or for witnesses that did not sign."""


class WrongPassphrase(SigningError):
    """Sealed material did not open: the passphrase is wrong, or the sealed bytes were changed."""
