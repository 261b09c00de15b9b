from __future__ import annotations

from pathlib import Path

import pytest
from authority import NOON, Authority
from cryptography.hazmat.primitives.serialization import Encoding
from serving import saying, served

from lotseal.signing import timestamp
from lotseal.trace.errors import Invalid, Unavailable
from lotseal.trace.timestamps import service

DATA = b"lotseal.example/log\n7\nroot\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def test_an_authority_stamps_over_http(authority: Authority) -> None:
    with served(authority.app) as url:
        stamp = service.stamp(DATA, url, [authority.root])
    assert stamp.at == NOON
    assert timestamp.verify_token(stamp.token, DATA, [authority.root]) == NOON


def test_an_authority_gets_a_hash_and_never_the_bytes(authority: Authority) -> None:
    with served(authority.app) as url:
        service.stamp(DATA, url, [authority.root])
    assert DATA[:12] not in authority.asked[-1]


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        ("500 Oh", "application/timestamp-reply", b""),
        ("302 Found", "application/timestamp-reply", b""),
        ("200 OK", "text/html", b"<p>Welcome"),
        ("200 OK", "application/timestamp-reply", b"<p>Welcome"),
        ("200 OK", "application/timestamp-reply", b"x" * 70_000),
    ],
)
def test_an_answer_that_is_no_stamp_is_not_kept(
    status: str, media_type: str, body: bytes, authority: Authority
) -> None:
    with served(saying(status, media_type, body)) as url, pytest.raises(Unavailable):
        service.stamp(DATA, url, [authority.root])


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [(Authority(nonce_added=1), "timestamp.nonce"), (Authority(status=2), "timestamp.not-granted")],
)
def test_a_stamp_that_does_not_verify_is_told_with_its_rule(wrong: Authority, rule: str) -> None:
    with served(wrong.app) as url, pytest.raises(Unavailable) as refused:
        service.stamp(DATA, url, [wrong.root])
    assert refused.value.problems[0].rule == rule


def test_a_stamp_of_another_authority_is_not_kept(authority: Authority) -> None:
    with served(Authority().app) as url, pytest.raises(Unavailable) as refused:
        service.stamp(DATA, url, [authority.root])
    assert "LOTSEAL_TSA_ROOTS" in str(refused.value)


def test_only_a_proper_address_is_asked(authority: Authority) -> None:
    with pytest.raises(Invalid):
        service.stamp(DATA, "http://tsa.example/", [authority.root])


def test_roots_come_from_a_file(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "roots.pem"
    path.write_bytes(authority.root.public_bytes(Encoding.PEM))
    assert service.roots(path) == [authority.root]
    path.write_bytes(b"nothing")
    for bad in (path, tmp_path / "none"):
        with pytest.raises(Unavailable) as refused:
            service.roots(bad)
        assert refused.value.problems[0].rule == "timestamp.roots"
