from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from authority import NOON, Authority
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import timestamp
from lotseal.signing.errors import BadSignature, Malformed, SigningError

DATA = b"lotseal.example/log\n7\nroot\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def stamped(authority: Authority) -> timestamp.Stamp:
    request = timestamp.make_request(DATA)
    return timestamp.verify_response(authority.respond(request.der), request, DATA, [authority.root])


def test_a_stamp_tells_the_time_of_the_authority(authority: Authority) -> None:
    stamp = stamped(authority)
    assert stamp.at == NOON
    assert timestamp.verify_token(stamp.token, DATA, [authority.root]) == NOON


def test_one_of_several_roots_suffices(authority: Authority) -> None:
    stamp = stamped(authority)
    assert timestamp.verify_token(stamp.token, DATA, [Authority().root, authority.root, authority.root]) == NOON


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command here")
def test_openssl_verifies_the_same_token(authority: Authority, tmp_path: Path) -> None:
    for name, data in (("token", stamped(authority).token), ("data", DATA), ("other", DATA + b"x")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "root.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    words = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-CAfile", "root.pem", "-attime", "1792065600"]
    for data, works in (("data", True), ("other", False)):
        done = subprocess.run([*words, "-data", data], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode == 0, "Verification: OK" in done.stdout) == (works, works), done.stderr


def test_openssl_reads_our_request(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command here")
    (tmp_path / "query").write_bytes(timestamp.make_request(DATA).der)
    words = ["openssl", "ts", "-query", "-in", "query", "-text"]
    told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "Hash Algorithm: sha256" in told
    assert "Certificate required: yes" in told
    assert "Nonce: 0x" in told


def test_two_requests_never_share_a_nonce() -> None:
    assert timestamp.make_request(DATA).nonce != timestamp.make_request(DATA).nonce
    with pytest.raises(Malformed):
        timestamp.make_request(b"")


def test_every_changed_byte_of_a_token_is_refused_except_in_the_name_of_the_algorithm(authority: Authority) -> None:
    token = stamped(authority).token
    ecdsa_with_sha256 = bytes.fromhex("06082a8648ce3d040302")
    # The last one names the algorithm of the signature itself; the signature follows.
    named = token.rindex(ecdsa_with_sha256)
    passed = set()
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1
        try:
            timestamp.verify_token(bytes(changed), DATA, [authority.root])
        except SigningError:
            continue
        passed.add(place)
    assert passed <= set(range(named, named + len(ecdsa_with_sha256)))


def test_other_bytes_are_refused(authority: Authority) -> None:
    with pytest.raises(BadSignature) as refused:
        timestamp.verify_token(stamped(authority).token, DATA + b"x", [authority.root])
    assert refused.value.rule == "timestamp.imprint"


def test_an_answer_to_another_request_is_refused(authority: Authority) -> None:
    """A replay: true token, true bytes, but asked for by somebody else or earlier."""
    first, second = timestamp.make_request(DATA), timestamp.make_request(DATA)
    with pytest.raises(BadSignature) as refused:
        timestamp.verify_response(authority.respond(first.der), second, DATA, [authority.root])
    assert refused.value.rule == "timestamp.nonce"


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (Authority(nonce_added=1), "timestamp.nonce"),
        (Authority(imprint=bytes(32)), "timestamp.imprint"),
        (Authority(hash_name="sha512"), "timestamp.imprint"),
        (Authority(usages=()), "timestamp.signature"),
        (Authority(usages=(ExtendedKeyUsageOID.CODE_SIGNING,)), "timestamp.signature"),
        (Authority(critical=False), "timestamp.signature"),
        (Authority(at=NOON + timedelta(days=800)), "timestamp.signature"),
        (Authority(at=NOON - timedelta(days=800)), "timestamp.signature"),
        (Authority(with_certificate=False), "timestamp.signature"),
        (Authority(status=2), "timestamp.not-granted"),
        (Authority(status=3), "timestamp.not-granted"),
    ],
)
def test_each_fault_of_an_authority_is_named(wrong: Authority, rule: str) -> None:
    with pytest.raises(BadSignature) as refused:
        stamped(wrong)
    assert refused.value.rule == rule


def test_the_certificates_of_a_token_may_come_in_any_order() -> None:
    """openssl sends the signer first, then its chain; the set is under nobody's signature, and one order is kept."""
    sender = Authority(with_root=True)
    pair = [one.public_bytes(Encoding.DER) for one in (sender.certificate, sender.root)]
    request = timestamp.make_request(DATA)
    response = sender.respond(request.der)
    there = b"".join(sorted(pair))
    assert there in response
    kept = {
        timestamp.verify_response(response.replace(there, b"".join(order)), request, DATA, [sender.root]).token
        for order in (pair, pair[::-1])
    }
    (token,) = kept
    assert timestamp.verify_token(token, DATA, [sender.root]) == NOON
    with pytest.raises(Malformed) as refused:
        timestamp.verify_token(token.replace(there, b"".join(sorted(pair)[::-1])), DATA, [sender.root])
    assert refused.value.rule == "timestamp.spelling"


def test_a_stamp_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    token = stamped(authority).token
    for roots in ([Authority().root], [Authority(common=authority.common).root], []):
        with pytest.raises(BadSignature) as refused:
            timestamp.verify_token(token, DATA, roots)
        assert refused.value.rule == "timestamp.signature"


def test_a_certificate_that_has_expired_since_still_counts() -> None:
    """The token is of a time at which the certificate was valid; whether that is past does not matter."""
    old = Authority(at=NOON - timedelta(days=300), expires=NOON - timedelta(days=299))
    assert stamped(old).at == NOON - timedelta(days=300)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x80", b"x" * 1_000, bytes(70_000), b"\x30\x03\x02\x01\x00"])
def test_what_is_no_token_is_refused(data: bytes, authority: Authority) -> None:
    request = timestamp.make_request(DATA)
    with pytest.raises(SigningError):
        timestamp.verify_response(data, request, DATA, [authority.root])
    with pytest.raises(SigningError):
        timestamp.verify_token(data, DATA, [authority.root])


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for hostile in (data, b"\x30\x82" + len(data).to_bytes(2, "big") + data):
        with pytest.raises(SigningError):
            timestamp.verify_token(hostile, DATA, [])
        with pytest.raises(SigningError):
            timestamp.verify_response(hostile, timestamp.Request(b"", 1), DATA, [])


def test_every_cut_of_a_response_is_refused(authority: Authority) -> None:
    request = timestamp.make_request(DATA)
    response = authority.respond(request.der)
    for cut in range(0, len(response), 7):
        with pytest.raises(SigningError):
            timestamp.verify_response(response[:cut], request, DATA, [authority.root])
    with pytest.raises(SigningError):
        timestamp.verify_response(response + b"\0", request, DATA, [authority.root])


def test_roots_are_a_few_certificates(authority: Authority) -> None:
    pem = authority.root.public_bytes(Encoding.PEM)
    assert timestamp.parse_roots(pem + pem) == [authority.root] * 2
    for bad in (b"", b"no pem", pem[:-40], pem * 33, pem + b"x" * 300_000):
        with pytest.raises(Malformed):
            timestamp.parse_roots(bad)
