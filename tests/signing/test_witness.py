from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_makers import LEAVES, LOG, NOON, WITNESSES, Signer, checkpoint, cosigned, signed

from lotseal.signing import merkle, witness
from lotseal.signing.checkpoint import Checkpoint, sign_checkpoint
from lotseal.signing.cosignature import cosign
from lotseal.signing.errors import Malformed
from lotseal.signing.notes import Note, NoteSignature
from lotseal.signing.vkeys import Algorithm
from lotseal.signing.witness import Head, Refused, Request

# The example of c2sp.org/tlog-witness.
EXAMPLE = (
    "old 20852014\n"
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
    "\n"
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— example.com/behind-the-sofa "
    "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
).encode()


def request(old: int, size: int, note: Note | None = None) -> Request:
    proof = merkle.consistency_proof(LEAVES[:size], old) if 0 < old <= size else []
    return Request(old, tuple(proof), note or signed(size))


def head(size: int) -> Head:
    return Head(size, merkle.root(LEAVES[:size]))


def test_the_example_of_the_specification_reads_back() -> None:
    parsed, stated = witness.read(EXAMPLE)
    assert (parsed.old_size, len(parsed.proof), stated.size) == (20_852_014, 4, 20_852_163)
    assert len(parsed.note.signatures) == 2
    assert bytes(parsed) == EXAMPLE


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 1), (0, 7), (1, 7), (6, 8), (8, 8), (255, 300)])
def test_a_request_reads_back(old: int, size: int) -> None:
    parsed, stated = witness.read(bytes(request(old, size)))
    assert (parsed, stated) == (request(old, size), checkpoint(size))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n\n", b"old 0\n", b"old 0\n\n", EXAMPLE[1:], b"\n" + EXAMPLE, EXAMPLE[:-1], EXAMPLE + b"\n",
        EXAMPLE.replace(b"\n", b"\r\n"), EXAMPLE.replace(b"old ", b"new "), EXAMPLE.replace(b"old ", b"old  "),
        EXAMPLE.replace(b"old ", b"Old "), EXAMPLE.replace(b"old ", b"old 0"), EXAMPLE.replace(b"old ", b"old +"),
        EXAMPLE.replace(b"old 20852014", b"20852014"), EXAMPLE.replace(b"old 20852014", b"old "),
        EXAMPLE.replace(b"old 20852014", b"old 9223372036854775808"), EXAMPLE.replace(b"kaw=", b"kaw"),
        EXAMPLE.replace(b"kaw=", b"kax="), EXAMPLE.replace(b"kaw=", b"kaw= "), EXAMPLE.replace(b"PlRN", b""),
        EXAMPLE.replace(b"PlRN", "é".encode()), EXAMPLE.replace(b"\n\nexample", b"\nexample"),
        EXAMPLE.replace(b"\n\nexample", b"\n\n\nexample"), EXAMPLE.replace(b"20852163", b"020852163"),
        EXAMPLE.replace(b"old 20852014\n", b"old 20852014\n" + EXAMPLE[13:58] * 60),
        EXAMPLE[: EXAMPLE.index(b"\xe2\x80\x94")], b"x" * 300_000,
    ],
)  # fmt: skip
def test_every_other_form_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        witness.read(body)
    assert refused.value.status == 400


def test_a_log_is_authenticated_by_its_own_key() -> None:
    assert witness.authenticate(request(0, 7), checkpoint(7), [LOG.key]) == signed(7).signatures
    # Signatures of others, also false ones, do not matter.
    mixed = cosigned(7, WITNESSES[0]).signed_also(NoteSignature(LOG.key.name, b"none", b"x" * 64))
    assert witness.authenticate(request(0, 7, mixed), checkpoint(7), [LOG.key]) == signed(7).signatures


def test_an_unknown_log_is_not_found() -> None:
    other = Signer("another.example", Algorithm.ED25519)
    for keys in ([], [other.key], [WITNESSES[0].key]):
        with pytest.raises(Refused) as refused:
            witness.authenticate(request(0, 7), checkpoint(7), keys)
        assert refused.value.status == 404


def test_a_checkpoint_without_a_true_signature_of_the_log_is_forbidden() -> None:
    impostor = Signer(LOG.key.name, Algorithm.ED25519, "another seed")
    unsigned = sign_checkpoint(checkpoint(7), impostor.key, impostor.sign)
    forged = unsigned.signed_also(NoteSignature(LOG.key.name, LOG.key.key_id, b"x" * 64))
    spoilt = signed(7).signed_also(NoteSignature(LOG.key.name, LOG.key.key_id, b"x" * 64))
    for note in (unsigned, forged, spoilt):
        with pytest.raises(Refused) as refused:
            witness.authenticate(request(0, 7, note), checkpoint(7), [LOG.key])
        assert refused.value.status == 403


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 1), (0, 7), (1, 7), (6, 8), (8, 8), (255, 300)])
def test_a_log_that_grows_is_cosigned(old: int, size: int) -> None:
    latest = head(old) if old else None
    assert witness.decide(request(old, size), checkpoint(size), latest) == head(size)
    assert witness.decide(request(old, size), checkpoint(size), head(old)) == head(size)


@pytest.mark.parametrize(
    ("asked", "latest", "status", "size"),
    [
        (Request(8, (), signed(7)), head(7), 400, 0),
        (Request(8, (), signed(7)), None, 400, 0),
        (request(0, 7), head(5), 409, 5),
        (request(5, 7), head(6), 409, 6),
        (request(6, 7), head(300), 409, 300),
        (request(5, 7), None, 409, 0),
        (Request(0, (LEAVES[0],), signed(7)), None, 422, 0),
        (Request(5, (), signed(7)), head(5), 422, 0),
        (Request(5, request(6, 7).proof, signed(7)), head(5), 422, 0),
        (Request(7, (LEAVES[0],), signed(7)), head(7), 422, 0),
        (request(5, 7), Head(5, LEAVES[0]), 422, 0),
        (request(7, 7), Head(7, LEAVES[0]), 422, 0),
    ],
)
def test_what_does_not_continue_the_log_is_refused(asked: Request, latest: Head | None, status: int, size: int) -> None:
    with pytest.raises(Refused) as refused:
        witness.decide(asked, Checkpoint.parse(asked.note.text), latest)
    assert (refused.value.status, refused.value.size, refused.value.evidence) == (status, size, status == 422)


def test_an_empty_tree_with_another_root_is_refused() -> None:
    odd = Checkpoint(LOG.key.name, 0, LEAVES[0])
    with pytest.raises(Refused) as refused:
        witness.decide(Request(0, (), sign_checkpoint(odd, LOG.key, LOG.sign)), odd, None)
    assert refused.value.status == 422


def test_a_refusal_survives_pickling() -> None:
    refused = pickle.loads(pickle.dumps(Refused(409, "witness.conflict", "another size", size=5)))
    assert (refused.status, refused.rule) == (409, "witness.conflict")


def test_an_answer_is_signature_lines() -> None:
    lines = tuple(cosign(checkpoint(7), one.key, one.sign, NOON) for one in WITNESSES)
    assert witness.parse_answer(witness.answer(lines)) == lines


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"x\n", "— a AAAAAAA=".encode(), "— a AAAAAAA=\n\n".encode(), b"\xff\n", b"x" * 70_000,
             "— a AAAAAAA=\n".encode() * 17]
)  # fmt: skip
def test_every_other_answer_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        witness.parse_answer(data)


@given(st.integers(0, merkle.MAX_SIZE))
def test_a_conflict_tells_the_size(size: int) -> None:
    assert witness.parse_size(b"%d\n" % size) == size


@pytest.mark.parametrize("data", [b"", b"\n", b"5", b"05\n", b"+5\n", b"5\n\n", b"5 \n", b"\xff\n", b"9" * 30 + b"\n"])
def test_every_other_size_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        witness.parse_size(data)


@pytest.mark.parametrize(("old", "proof"), [(-1, ()), (2**63, ()), (1, (b"short",)), (1, (bytes(32),) * 64)])
def test_what_no_tree_can_have_is_never_asked(old: int, proof: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed):
        Request(old, proof, signed(7))
