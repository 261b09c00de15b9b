from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_makers import ENTRIES, LEAVES, LOG, WITNESSES, checkpoint, cosigned, signed

from lotseal.signing import merkle
from lotseal.signing.encoding import b64
from lotseal.signing.errors import BadProof, Malformed, PolicyNotMet, SigningError
from lotseal.signing.tlog_policy import Group, Log, Policy, Witness
from lotseal.signing.tlog_proof import Proof

POLICY = Policy(
    (Log(LOG.key),),
    (Witness("a", WITNESSES[0].key), Witness("b", WITNESSES[1].key)),
    (Group("both", 2, ("a", "b")),),
    "both",
)


def proof(index: int = 5, size: int = 11, extra: bytes = b"") -> Proof:
    path = merkle.inclusion_proof(LEAVES[:size], index)
    return Proof(index, tuple(path), cosigned(size, *WITNESSES[:2]), extra)


DATA = bytes(proof(extra=b"context"))


def test_a_proof_is_the_lines_of_the_specification() -> None:
    path = merkle.inclusion_proof(LEAVES[:11], 5)
    head = "".join(f"{line}\n" for line in ["c2sp.org/tlog-proof@v1", "extra Y29udGV4dA==", "index 5", *map(b64, path)])
    assert bytes(proof(extra=b"context")).decode() == f"{head}\n{bytes(cosigned(11, *WITNESSES[:2])).decode()}"


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (5, 11), (299, 300), (0, 300)])
@pytest.mark.parametrize("extra", [b"", b"\0", b"x" * 1_000])
def test_a_proof_reads_back_and_verifies(index: int, size: int, extra: bytes) -> None:
    again = Proof.parse(bytes(proof(index, size, extra)))
    assert again == proof(index, size, extra)
    accepted = again.verify_entry(ENTRIES[index], POLICY)
    assert accepted.checkpoint == again.checkpoint == checkpoint(size)
    assert [one.witness.name for one in accepted.cosigned] == ["a", "b"]


def test_every_changed_byte_is_refused_except_within_the_extra_data() -> None:
    extra = range(DATA.index(b"extra ") + 6, DATA.index(b"\nindex"))
    passed = set()
    for place in range(len(DATA)):
        changed = bytearray(DATA)
        changed[place] ^= 1
        try:
            Proof.parse(bytes(changed)).verify_entry(ENTRIES[5], POLICY)
        except SigningError:
            continue
        passed.add(place)
    assert passed <= set(extra), "only what nobody signed may change"


def test_another_entry_is_refused() -> None:
    with pytest.raises(BadProof):
        proof().verify_entry(ENTRIES[6], POLICY)
    with pytest.raises(BadProof):
        Proof(6, proof().hashes, proof().note).verify_entry(ENTRIES[5], POLICY)
    with pytest.raises(Malformed):
        proof().verify(b"short", POLICY)


def test_a_proof_of_one_checkpoint_does_not_fit_another() -> None:
    with pytest.raises(SigningError):
        Proof(5, proof().hashes, cosigned(12, *WITNESSES[:2])).verify_entry(ENTRIES[5], POLICY)


def test_a_proof_without_witnesses_does_not_meet_the_policy() -> None:
    lonely = Proof(5, proof().hashes, signed(11))
    with pytest.raises(PolicyNotMet):
        lonely.verify_entry(ENTRIES[5], POLICY)
    lonely.verify_entry(ENTRIES[5], Policy.parse(b"quorum none\n"), [LOG.key])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"\n\n", DATA[1:], b"\n" + DATA, DATA + b"\n", DATA[:-1], DATA.replace(b"\n", b"\r\n"),
        DATA.replace(b"@v1", b"@v2"), DATA.replace(b"index 5", b"index 05"), DATA.replace(b"index 5", b"index +5"),
        DATA.replace(b"index 5", b"index  5"), DATA.replace(b"index 5", b"index -5"), DATA.replace(b"index 5", b"5"),
        DATA.replace(b"index 5", b"Index 5"), DATA.replace(b"index 5\n", b""), DATA.replace(b"index 5", b"index "),
        DATA.replace(b"index 5", b"index 9223372036854775808"), DATA.replace(b"index 5", b"index " + b"9" * 5_000),
        DATA.replace(b"extra Y29udGV4dA==", b"extra "), DATA.replace(b"extra Y29udGV4dA==", b"extra"),
        DATA.replace(b"Y29udGV4dA==", b"Y29udGV4dA"), DATA.replace(b"Y29udGV4dA==", b"Y29udGV4dB=="),
        DATA.replace(b"Y29udGV4dA==", b"Y29udGV4 dA=="), DATA.replace(b"extra", b"extra extra"),
        DATA.replace(b"index 5\n", b"index 5\nAAAA\n"), DATA.replace(b"index 5\n", b"index 5\n" + DATA[-45:]),
        DATA.replace(b"index 5\n", b"index 5\n" + (b64(bytes(32)) + "\n").encode() * 64),
        DATA.replace(b"extra", "éxtra".encode()), DATA[: DATA.index(b"\n\n") + 2], b"x" * 600_000,
    ],
)  # fmt: skip
def test_every_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        Proof.parse(data)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for hostile in (data, b"c2sp.org/tlog-proof@v1\n" + data, b"\n" + data + DATA):
        with pytest.raises(Malformed):
            Proof.parse(hostile)
    # A tail may turn out as one more signature line, but for a random one that does not happen.
    if data:
        with pytest.raises(Malformed):
            Proof.parse(DATA + data)


def test_what_no_tree_can_have_makes_no_proof() -> None:
    for index, hashes, extra in [(-1, (), b""), (2**63, (), b""), (0, (b"x",), b""), (0, (bytes(32),) * 64, b"")]:
        with pytest.raises(Malformed):
            Proof(index, hashes, signed(1), extra)
    with pytest.raises(Malformed):
        Proof(0, (), signed(1), b"x" * 65_537)
