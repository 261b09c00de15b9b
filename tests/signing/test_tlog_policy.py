from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_makers import LOG, NOON, WITNESSES, Signer, checkpoint, cosigned, signed

from lotseal.signing.checkpoint import sign_checkpoint
from lotseal.signing.cosignature import cosign
from lotseal.signing.errors import BadSignature, Malformed, PolicyNotMet
from lotseal.signing.notes import NoteSignature
from lotseal.signing.tlog_policy import Group, Log, Policy, Witness
from lotseal.signing.vkeys import Algorithm, VerifierKey

X = [Signer(f"x{number}.example", Algorithm.COSIGNATURE_V1) for number in range(1, 4)]
Y = [Signer(f"y{number}.example", Algorithm.COSIGNATURE_V1) for number in range(1, 4)]
# The example of c2sp.org/tlog-policy, with keys.
EXAMPLE = f"""
# two organizations

log {LOG.key} https://log.lotseal.example/
  witness X1 {X[0].key}
witness X2\t{X[1].key} \t
witness X3 {X[2].key}  https://x3.example/
group X-witnesses 2 X1 X2 X3

witness Y1 {Y[0].key}
witness Y2 {Y[1].key}
witness Y3 {Y[2].key}
group Y-witnesses any Y1 Y2 Y3

\t# both
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
W = [str(witness.key) for witness in WITNESSES]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.parse(EXAMPLE.encode())


def test_the_example_of_the_specification_is_read(policy: Policy) -> None:
    assert policy.logs == (Log(LOG.key, "https://log.lotseal.example/"),)
    assert [witness.name for witness in policy.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert policy.witnesses[2] == Witness("X3", X[2].key, "https://x3.example/")
    assert policy.groups == (
        Group("X-witnesses", 2, ("X1", "X2", "X3")),
        Group("Y-witnesses", 1, ("Y1", "Y2", "Y3")),
        Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
    )
    assert policy.quorum == "X-and-Y"


def test_a_policy_reads_back(policy: Policy) -> None:
    assert Policy.parse(bytes(policy)) == policy
    assert bytes(Policy.parse(bytes(policy))) == bytes(policy)


@given(st.sets(st.sampled_from(range(6))))
def test_the_quorum_of_the_example_is_two_of_the_one_and_one_of_the_other(who: set[int]) -> None:
    policy = Policy.parse(EXAMPLE.encode())
    signed_by = [[*X, *Y][number].key for number in who]
    assert policy.satisfied(signed_by) == (len(who & {0, 1, 2}) >= 2 and len(who & {3, 4, 5}) >= 1)


def test_a_quorum_of_one_witness_or_of_none() -> None:
    one = Policy.parse(f"witness w {W[0]}\nquorum w\n".encode())
    assert one.satisfied([WITNESSES[0].key])
    assert not one.satisfied([WITNESSES[1].key])
    assert Policy.parse(b"quorum none\n").satisfied([])


def test_names_are_octets() -> None:
    """ASCII K and the Kelvin sign are two names, and octets that are no UTF-8 are names too."""
    text = b"witness K " + W[0].encode() + b"\nwitness \xe2\x84\xaa " + W[1].encode() + b"\nwitness \xff\xa0 "
    text += W[2].encode() + b"\ngroup g 3 K \xe2\x84\xaa \xff\xa0\nquorum g\n"
    assert Policy.parse(bytes(Policy.parse(text))) == Policy.parse(text)
    assert b"group g 3 K \xe2\x84\xaa \xff\xa0\n" in bytes(Policy.parse(text))


def test_thirty_two_of_each_are_accepted() -> None:
    keys = [Signer(f"n{number}", Algorithm.COSIGNATURE_V1).key for number in range(32)]
    logs = [Signer(f"l{number}", Algorithm.ED25519).key for number in range(32)]
    lines = [f"log {key}" for key in logs] + [f"witness n{place} {key}" for place, key in enumerate(keys)]
    lines += [f"group g{place} any n{place}" for place in range(32)] + ["quorum g31", ""]
    assert Policy.parse("\n".join(lines).encode()).satisfied([keys[31]])


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "# only a comment\n", "quorum none", "quorum none\nquorum none\n", "quorum\n", "quorum none x\n",
        "quorum w\n", f"quorum w\nwitness w {W[0]}\n", "unknown line\nquorum none\n", "Quorum none\n",
        "quorum none\r\n", "quorum none\0\n", "quorum none\x0b\n", "quorum none\x7f\n", "quorum\u00a0none\n",
        "log\nquorum none\n", "log x\nquorum none\n", f"log {LOG.key} a b\nquorum none\n", f"log {W[0]}\nquorum none\n",
        f"log {LOG.key}\nlog {LOG.key}\nquorum none\n",
        f"log {LOG.key}\nlog {VerifierKey('other', Algorithm.ED25519, LOG.key.public_key)}\nquorum none\n",
        f"witness w\nwitness w {W[0]}\nquorum none\n", f"witness {W[0]}\nquorum none\n",
        f"witness w {LOG.key}\nquorum none\n", f"witness none {W[0]}\nquorum none\n",
        f"witness w {W[0]}\nwitness w {W[1]}\nquorum w\n", f"witness w {W[0]}\nwitness v {W[0]}\nquorum w\n",
        f"witness w {W[0]}\ngroup w any w\nquorum w\n", f"witness w {W[0]}\ngroup g any\nquorum w\n",
        f"witness w {W[0]}\ngroup g 0 w\nquorum g\n", f"witness w {W[0]}\ngroup g 2 w\nquorum g\n",
        f"witness w {W[0]}\ngroup g 01 w\nquorum g\n", f"witness w {W[0]}\ngroup g -1 w\nquorum g\n",
        f"witness w {W[0]}\ngroup g some w\nquorum g\n", f"witness w {W[0]}\ngroup g Any w\nquorum g\n",
        f"witness w {W[0]}\ngroup g any w w\nquorum g\n", f"witness w {W[0]}\ngroup g any none\nquorum g\n",
        f"witness w {W[0]}\ngroup none any w\nquorum none\n", f"witness w {W[0]}\ngroup g any g\nquorum g\n",
        f"group g any w\nwitness w {W[0]}\nquorum g\n",
        f"witness w {W[0]}\ngroup g any w\ngroup h any w\nquorum h\n",
        f"witness w {W[0]}\nwitness v {W[1]}\ngroup g any w\ngroup h all g v w\nquorum h\n",
        "# " + "x" * 300_000 + "\nquorum none\n",
    ],
)  # fmt: skip
def test_every_other_policy_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Policy.parse(text.encode())


def test_the_line_at_fault_is_named() -> None:
    with pytest.raises(Malformed) as refused:
        Policy.parse(b"# comment\n\nlog example.com/foo+530d903a+AAAA\nquorum none\n")
    assert refused.value.facts == {"line": 3}


@given(st.binary(max_size=200))
def test_no_octets_do_more_than_be_refused(data: bytes) -> None:
    for hostile in (data, EXAMPLE.encode() + data, data + b"\nquorum none\n"):
        try:
            parsed = Policy.parse(hostile)
        except Malformed:
            continue
        assert Policy.parse(bytes(parsed)) == parsed


def _two_of_three() -> Policy:
    names = ("w0", "w1", "w2")
    witnesses = tuple(Witness(name, WITNESSES[place].key) for place, name in enumerate(names))
    return Policy((Log(LOG.key),), witnesses, (Group("g", 2, names),), "g")


def test_a_checkpoint_with_enough_witnesses_is_accepted() -> None:
    accepted = _two_of_three().verify(cosigned(7, WITNESSES[2], WITNESSES[0], WITNESSES[3]))
    assert (accepted.checkpoint, accepted.log) == (checkpoint(7), LOG.key)
    assert [(one.witness.name, one.timestamp) for one in accepted.cosigned] == [("w0", NOON), ("w2", NOON)]


def test_too_few_witnesses_do_not_meet_the_policy() -> None:
    for note in (signed(7), cosigned(7, WITNESSES[0]), cosigned(7, WITNESSES[0], WITNESSES[3])):
        with pytest.raises(PolicyNotMet) as refused:
            _two_of_three().verify(note)
        assert refused.value.rule == "policy.quorum"


def test_one_witness_that_signs_twice_counts_once_with_its_first_time() -> None:
    note = cosigned(7, WITNESSES[0])
    again = cosign(checkpoint(7), WITNESSES[0].key, WITNESSES[0].sign, NOON - 5)
    with pytest.raises(PolicyNotMet):
        _two_of_three().verify(note.signed_also(again))
    accepted = _two_of_three().verify(cosigned(7, *WITNESSES[:2]).signed_also(again))
    assert [one.timestamp for one in accepted.cosigned] == [NOON - 5, NOON]


def test_another_log_does_not_meet_the_policy() -> None:
    impostor = Signer(LOG.key.name, Algorithm.ED25519, "another seed")
    lines = [cosign(checkpoint(7), witness.key, witness.sign, NOON) for witness in WITNESSES]
    note = sign_checkpoint(checkpoint(7), impostor.key, impostor.sign).signed_also(*lines)
    with pytest.raises(PolicyNotMet) as refused:
        _two_of_three().verify(note)
    assert refused.value.rule == "policy.log"
    assert _two_of_three().verify(note, [impostor.key]).log == impostor.key


def test_a_false_cosignature_of_a_known_witness_spoils_the_checkpoint() -> None:
    witness = WITNESSES[2].key
    forged = NoteSignature(witness.name, witness.key_id, NOON.to_bytes(8, "big") + bytes(64))
    with pytest.raises(BadSignature):
        _two_of_three().verify(cosigned(7, *WITNESSES[:2]).signed_also(forged))


def test_a_policy_without_logs_needs_one_that_is_told() -> None:
    policy = Policy.parse(b"quorum none\n")
    with pytest.raises(PolicyNotMet):
        policy.verify(signed(7))
    assert policy.verify(signed(7), [LOG.key]).cosigned == ()


def test_a_policy_that_could_not_be_written_down_cannot_be_made() -> None:
    one, other = (Witness("a", WITNESSES[0].key), Witness("b", WITNESSES[1].key))
    hostile = [
        ((), (Witness("a", WITNESSES[0].key, "an address"),), (), "a"),
        ((Log(LOG.key, ""),), (), (), "none"),
        ((Log(WITNESSES[0].key),), (), (), "none"),
        ((), (Witness("a b", WITNESSES[0].key),), (), "none"),
        ((), (one, other), (Group("g", 3, ("a", "b")),), "g"),
        ((), (one,), (Group("g", 1, ("b",)),), "g"),
        ((), (one,), (Group("g", 1, ("none",)),), "g"),
        ((), (one, other), (Group("g", 1, ("a", "a")),), "g"),
        ((), (one,), (), "b"),
        ((Log(LOG.key),) * 257, (), (), "none"),
    ]
    for logs, witnesses, groups, quorum in hostile:
        with pytest.raises(Malformed):
            Policy(logs, witnesses, groups, quorum)
