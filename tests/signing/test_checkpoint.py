from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_makers import LOG, NOON, ORIGIN, WITNESSES, Signer, checkpoint, cosigned, signed

from lotseal.signing import merkle, notes
from lotseal.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint, verify_checkpoint
from lotseal.signing.cosignature import cosign, verify_cosignature
from lotseal.signing.errors import BadSignature, Malformed, SigningError, UnknownKey
from lotseal.signing.notes import Note, NoteSignature
from lotseal.signing.vkeys import Algorithm, VerifierKey, cosigned_message, pack, unpack

# The example of c2sp.org/tlog-cosignature.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_the_example_of_the_specification_reads_back() -> None:
    note = Note.parse(SOFA)
    parsed = Checkpoint.parse(note.text)
    assert (parsed.origin, parsed.size, parsed.extensions) == ("example.com/behind-the-sofa", 20_852_163, ())
    assert parsed.root.hex().startswith("0ac5186a91863e8e")
    assert parsed.text == note.text == TEXT
    assert bytes(note) == SOFA
    timestamp, _ = unpack(note.signatures[1].signature)
    assert timestamp == 1_679_315_147
    assert cosigned_message(TEXT.encode(), timestamp).decode() == f"cosignature/v1\ntime 1679315147\n{TEXT}"


def test_extension_lines_are_kept() -> None:
    parsed = Checkpoint.parse(TEXT + "one\nanother with spaces\n")
    assert parsed.extensions == ("one", "another with spaces")
    assert parsed.text == TEXT + "one\nanother with spaces\n"


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "\n\n\n", TEXT[:-1], TEXT + "\n", TEXT + "\nx\n", "\n" + TEXT, TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "+20852163"), TEXT.replace("20852163", " 20852163"), TEXT.replace("20852163", "2_0"),
        TEXT.replace("20852163", "-1"), TEXT.replace("20852163", ""), TEXT.replace("20852163", "00"),
        TEXT.replace("20852163", "9223372036854775808"), TEXT.replace("20852163", "9" * 400),
        TEXT.replace("20852163", "٣"), TEXT.replace("20852163", "²"), TEXT.replace("q2I=", "q2I"),
        TEXT.replace("q2I=", "q2J="), TEXT.replace("q2I=", "q2I=="), TEXT.replace("q2I=", "q2I= "),
        TEXT.replace("Cs", ""), TEXT.replace("Cs", "CsCs"), TEXT.replace("/Xaj", "_Xaj"), TEXT.replace("\n", "\r\n"),
        TEXT.replace("example.com/behind-the-sofa", ""), TEXT.replace("sofa", "sofa\t"), "x" * 300 + TEXT,
        TEXT + "x\n" * 17, TEXT + "x\n" * 400, TEXT + "\ud800\n",
    ],
)  # fmt: skip
def test_every_other_form_of_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


@given(st.text(min_size=1, max_size=40), st.integers(-1, 2**63), st.binary(min_size=31, max_size=33))
def test_what_can_be_made_reads_back(origin: str, size: int, root: bytes) -> None:
    try:
        made = Checkpoint(origin, size, root)
    except Malformed:
        return
    assert Checkpoint.parse(made.text) == made


def test_a_signed_checkpoint_names_its_log() -> None:
    note = Note.parse(bytes(signed(7)))
    assert verify_checkpoint(note, [LOG.key]) == checkpoint(7)
    assert open_checkpoint(bytes(note), [LOG.key], ORIGIN) == (checkpoint(7), note)
    with pytest.raises(UnknownKey):
        open_checkpoint(bytes(note), [LOG.key], "another.example")


def test_every_changed_byte_of_a_checkpoint_is_refused() -> None:
    data = bytes(cosigned(7, WITNESSES[0]))
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(SigningError):
            _verify_both(bytes(changed))


def test_a_log_signs_under_its_own_origin_only() -> None:
    with pytest.raises(Malformed):
        sign_checkpoint(checkpoint(7), Signer("another.example", Algorithm.ED25519).key, LOG.sign)


def test_a_key_of_another_log_does_not_make_a_checkpoint_count() -> None:
    """The checkpoint names one log, another known log signed it: nobody knows what that should mean."""
    other = Signer("another.example", Algorithm.ED25519)
    note = Note(checkpoint(7).text, (notes.sign(checkpoint(7).text, other.key, other.sign),))
    with pytest.raises(UnknownKey):
        verify_checkpoint(note, [LOG.key, other.key])


def test_a_cosigners_key_does_not_sign_for_the_log() -> None:
    impostor = VerifierKey(ORIGIN, Algorithm.COSIGNATURE_V1, LOG.key.public_key)
    note = Note(checkpoint(7).text, (cosign(checkpoint(7), impostor, LOG.sign, NOON),))
    with pytest.raises(UnknownKey):
        verify_checkpoint(note, [LOG.key, impostor])


def test_a_cosignature_tells_its_time() -> None:
    note = cosigned(7, *WITNESSES[:2])
    assert verify_cosignature(note, WITNESSES[0].key) == verify_cosignature(note, WITNESSES[1].key) == NOON
    with pytest.raises(UnknownKey):
        verify_cosignature(note, WITNESSES[2].key)
    early = cosign(checkpoint(7), WITNESSES[0].key, WITNESSES[0].sign, NOON - 60)
    assert verify_cosignature(note.signed_also(early), WITNESSES[0].key) == NOON - 60


def test_a_cosignature_of_one_checkpoint_does_not_fit_another() -> None:
    line = cosign(checkpoint(8), WITNESSES[0].key, WITNESSES[0].sign, NOON)
    with pytest.raises(BadSignature):
        verify_cosignature(signed(7).signed_also(line), WITNESSES[0].key)


def test_a_plain_signature_does_not_pass_for_a_cosignature() -> None:
    """The header separates the two, even when one key pair serves both."""
    witness = WITNESSES[0]
    text = checkpoint(7).text.encode()
    plain = NoteSignature(witness.key.name, witness.key.key_id, pack(NOON, witness.sign(text)))
    with pytest.raises(BadSignature):
        verify_cosignature(signed(7).signed_also(plain), witness.key)


@pytest.mark.parametrize("timestamp", [0, -1, 2**63])
def test_a_time_out_of_bounds_is_refused(timestamp: int) -> None:
    with pytest.raises(Malformed):
        cosign(checkpoint(7), WITNESSES[0].key, WITNESSES[0].sign, timestamp)
    if timestamp >= 0:
        with pytest.raises(Malformed):
            unpack(timestamp.to_bytes(8, "big") + bytes(64))


def test_only_a_cosigners_key_cosigns_and_only_checkpoints_are_cosigned() -> None:
    with pytest.raises(Malformed):
        cosign(checkpoint(7), LOG.key, LOG.sign, NOON)
    with pytest.raises(Malformed):
        verify_cosignature(signed(7), LOG.key)
    with pytest.raises(Malformed):
        verify_cosignature(Note("text\n", signed(7).signatures), WITNESSES[0].key)


def test_a_cosigner_with_another_key_behind_it_is_found_at_once() -> None:
    with pytest.raises(BadSignature):
        cosign(checkpoint(7), WITNESSES[0].key, WITNESSES[1].sign, NOON)


def test_an_empty_tree_has_a_checkpoint() -> None:
    empty = checkpoint(0)
    assert empty.root == merkle.EMPTY_ROOT
    assert Checkpoint.parse(empty.text) == empty


def _verify_both(data: bytes) -> None:
    note = Note.parse(data)
    verify_checkpoint(note, [LOG.key])
    verify_cosignature(note, WITNESSES[0].key)
