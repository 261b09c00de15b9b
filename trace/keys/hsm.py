"""Keys on a PKCS#11 token, through the signer of securesystemslib (the optional extra `hsm`).

A token answers one login at a time and process, so all of this happens under one lock. Whatever the token says is
checked against the public key before it counts. Everything here raises `Unavailable` when the extra, a setting or
the token is missing.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ...signing.context import Context
from ...signing.encoding import unb64url
from ...signing.errors import SigningError
from ...signing.keys import PublicKey, check_jws_input, raw_low_s
from ..errors import Message, Problem, Unavailable, invalid, say
from ..settings import lend

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

_alone = threading.Lock()
_refused: set[Access] = set()


@dataclass(frozen=True)
class Access:
    """How to reach the token: the path of its PKCS#11 library, its label, its PIN."""

    library: str = ""
    token: str = ""
    pin: str = field(default="", repr=False)


class TokenKey:
    """A P-256 key on a token; the `Signer` for keys that never leave their hardware."""

    def __init__(self, access: Access, uri: str, public: PublicKey) -> None:
        self._access = access
        self.uri = uri
        self.public = public

    @property
    def kid(self) -> str:
        return self.public.kid

    def sign(self, context: Context, message: bytes) -> bytes:
        signature = self._sign(context.bind(message))
        self._check(lambda: self.public.verify(context, message, signature))
        return signature

    def sign_jws(self, signing_input: bytes) -> bytes:
        check_jws_input(signing_input)
        signature = self._sign(signing_input)
        self._check(lambda: self.public.verify_jws(signing_input, signature))
        return signature

    def _sign(self, data: bytes) -> bytes:
        with _at_token(self._access):
            from securesystemslib.signer import Signer, SSlibKey

            known = SSlibKey.from_crypto(_crypto_key(self.public), scheme="ecdsa-sha2-nistp256")
            signer = Signer.from_priv_key_uri(self.uri, known, lambda _asked: self._access.pin)
            return raw_low_s(bytes.fromhex(signer.sign(data).signature))

    def _check(self, verify: Callable[[], None]) -> None:
        try:
            verify()
        except SigningError as error:
            raise _unavailable(
                "hsm.other-key",
                say("The token holds another key than %(kid)s under this id. Connect the right token.", kid=self.kid),
            ) from error

    def __repr__(self) -> str:
        return f"<TokenKey {self.kid}>"


def make(access: Access, label: str) -> TokenKey:
    """Make a P-256 key on the token that never leaves it."""
    with _at_token(access):
        import pkcs11
        from pkcs11.util import biginteger
        from pkcs11.util.ec import encode_named_curve_parameters
        from securesystemslib.signer import HSMSigner

        number = secrets.randbits(63) | 1 << 62
        token = pkcs11.lib(access.library).get_token(token_label=access.token)
        with token.open(rw=True, user_pin=access.pin) as session:
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True).generate_keypair(
                id=biginteger(number),
                label=label,
                store=True,
                private_template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
            )
        uri, key = HSMSigner.import_(number, access.token, lambda _asked: access.pin)
        return TokenKey(access, uri, _public(key))


def adopt(access: Access, number: int) -> TokenKey:
    """Take a P-256 key that is on the token already, by its id. Raises also `Invalid` for a key on another curve."""
    with _at_token(access):
        from securesystemslib.signer import HSMSigner

        uri, key = HSMSigner.import_(number, access.token, lambda _asked: access.pin)
        return TokenKey(access, uri, _public(key))


def _public(key: SSlibKey) -> PublicKey:
    found = load_pem_public_key(key.keyval["public"].encode())
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise invalid("token_key", "hsm.curve", say("This key of the token is not on the curve P-256. Take another."))
    return PublicKey(found)


def _crypto_key(public: PublicKey) -> ec.EllipticCurvePublicKey:
    jwk = public.to_jwk()
    x, y = (int.from_bytes(unb64url(jwk[name], 32, f"jwk.{name}"), "big") for name in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


@contextmanager
def _at_token(access: Access) -> Iterator[None]:
    """Alone at the token, every refusal of which becomes a sentence."""
    _refuse_incomplete(access)
    try:
        from pkcs11.exceptions import PinIncorrect, PinLenRange, PinLocked, PKCS11Error
    except ImportError as error:
        raise _unavailable(
            "hsm.extra", say("Keys on a token need the extra «hsm». Run: pip install 'lotseal[hsm]'")
        ) from error
    with _alone:
        if access in _refused:
            raise _wrong_pin()
        # The one way in which securesystemslib takes the path of the library.
        lend("PYKCS11LIB", access.library)
        try:
            yield
        except (PinIncorrect, PinLenRange, PinLocked) as error:
            # A token locks itself after a few wrong tries, and a job would try five times.
            _refused.add(access)
            raise _wrong_pin() from error
        except (PKCS11Error, ValueError) as error:
            raise _unavailable(
                "hsm.token",
                say(
                    "The PKCS#11 token «%(token)s» does not answer as it should: %(reason)s. "
                    "Check LOTSEAL_PKCS11_LIBRARY and LOTSEAL_PKCS11_TOKEN, and that the token is connected.",
                    token=access.token,
                    reason=str(error) or type(error).__name__,
                ),
            ) from error


def _refuse_incomplete(access: Access) -> None:
    given = {
        "LOTSEAL_PKCS11_LIBRARY": access.library,
        "LOTSEAL_PKCS11_TOKEN": access.token,
        "LOTSEAL_PKCS11_PIN": access.pin,
    }
    if missing := [name for name, value in given.items() if not value]:
        raise _unavailable(
            "hsm.settings",
            say("Keys on a token need these settings too: %(names)s.", names=", ".join(missing)),
        )


def _wrong_pin() -> Unavailable:
    return _unavailable(
        "hsm.pin",
        say("The token refused the PIN. Set LOTSEAL_PKCS11_PIN right and start again; nothing tries it a second time."),
    )


def _unavailable(rule: str, message: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, message))
