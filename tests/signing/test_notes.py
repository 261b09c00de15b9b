from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import notes
from lotseal.signing.errors import BadSignature, Malformed, SigningError, UnknownKey
from lotseal.signing.notes import Note, NoteSignature
from lotseal.signing.vkeys import Algorithm, VerifierKey, check_name

# The example of c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# Its first example: a text with an empty line of its own; the key is not told.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey("lotseal.example/log", Algorithm.ED25519, PRIVATE.public_key().public_bytes_raw())
TEXT = "A text of\n\nthree lines, 溯印\n"


@pytest.fixture(scope="module")
def note() -> Note:
    return Note(TEXT, (notes.sign(TEXT, KEY, PRIVATE.sign),))


def test_the_example_of_the_specification_verifies() -> None:
    key, parsed = VerifierKey.parse(VKEY), Note.parse(NOTE)
    assert str(key) == VKEY
    assert bytes(parsed) == NOTE
    (found,) = notes.verify(parsed, [key])
    assert (found.key, found.timestamp) == (key, None)
    assert parsed.text == "This is an example message.\n"


def test_an_empty_line_within_the_text_is_text() -> None:
    parsed = Note.parse(POEM)
    assert parsed.text.endswith("sole:\n\ned è subito sera.\n")
    assert [signature.name for signature in parsed.signatures] == ["quasimodo.example/salvatore"]
    assert bytes(parsed) == POEM


def test_a_signed_note_reads_back_and_verifies(note: Note) -> None:
    again = Note.parse(bytes(note))
    assert again == note
    (found,) = notes.verify(again, [KEY])
    assert found.key == KEY


def test_every_changed_byte_of_a_note_is_refused() -> None:
    key = VerifierKey.parse(VKEY)
    for place in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[place] ^= 1 << bit
            with pytest.raises(SigningError):
                notes.verify(Note.parse(bytes(changed)), [key])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"text\n", b"text\n\n", b"\n\n", NOTE[:-1], NOTE + b"\n", NOTE + b"x", NOTE + b"\xe2\x80\x94 a b\n",
        NOTE.replace(b"\n\n", b"\n"), NOTE.replace(b"\n", b"\r\n"), NOTE.replace(b"message", b"mess\tage"),
        NOTE.replace(b"message", b"mess\0age"), NOTE.replace(b"message", b"mess\xffage"),
        NOTE.replace(b"\xe2\x80\x94", b"-"), NOTE.replace(b"foo Uw", b"foo  Uw"), NOTE.replace(b"foo Uw", b"f oo Uw"),
        NOTE.replace(b"aQM=", b"aQM"), NOTE.replace(b"aQM=", b"aQN="), NOTE.replace(b"aQM=", b"aQM= "),
        NOTE.replace(b"/foo", b"+foo"), NOTE.replace(b"foo", b"f\xc2\xa0o"), NOTE.replace(b"foo", b"f\xe2\x80\x83o"),
        b"\xef\xbb\xbf" + NOTE[:0], "text\n\n— a \n".encode(), "text\n\n— a AAAA\n".encode(),
        "text\n\n— a AAA=\n".encode(), "text\n\n—  AAAAAAA=\n".encode(), "\n— a AAAAAAA=\n".encode(),
        b"text\n\n" + "— a AAAAAAA=\n".encode() * 65, b"x" * notes.MAX_NOTE + NOTE,
    ],
)  # fmt: skip
def test_every_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        Note.parse(data)


def test_sixteen_and_more_signatures_are_accepted(note: Note) -> None:
    others = tuple(NoteSignature(f"other/{number}", b"1234", b"x" * 2_420) for number in range(31))
    crowded = Note.parse(bytes(note.signed_also(*others)))
    assert len(crowded.signatures) == 32
    assert [found.key for found in notes.verify(crowded, [KEY])] == [KEY]


def test_a_signature_is_not_repeated(note: Note) -> None:
    assert note.signed_also(*note.signatures) == note


def test_signatures_of_unknown_keys_are_passed_over_even_when_they_share_a_name_or_an_id(note: Note) -> None:
    alike = note.signed_also(
        NoteSignature(KEY.name, b"1234", b"x" * 64), NoteSignature("another", KEY.key_id, b"x" * 64)
    )
    assert len(notes.verify(alike, [KEY])) == 1


def test_a_note_of_unknown_keys_alone_is_refused(note: Note) -> None:
    for keys in ([], [VerifierKey.parse(VKEY)]):
        with pytest.raises(UnknownKey):
            notes.verify(note, keys)
    assert notes.verified(note, []) == ()


def test_one_bad_signature_of_a_known_key_spoils_the_whole_note(note: Note) -> None:
    other = VerifierKey.parse(VKEY)
    for forged in (b"x" * 64, b"x" * 63, b"x" * 72):
        spoilt = note.signed_also(NoteSignature(other.name, other.key_id, forged))
        with pytest.raises((BadSignature, Malformed)):
            notes.verify(spoilt, [KEY, other])


def test_two_keys_that_cannot_be_told_apart_are_refused(note: Note, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VerifierKey, "key_id", b"same")
    twin = VerifierKey(KEY.name, Algorithm.ED25519, bytes(32))
    with pytest.raises(Malformed) as refused:
        notes.verified(note, [KEY, twin])
    assert refused.value.rule == "note.ambiguous-key"


def test_a_signer_with_another_key_behind_it_is_found_at_once() -> None:
    with pytest.raises(BadSignature):
        notes.sign(TEXT, KEY, Ed25519PrivateKey.generate().sign)
    with pytest.raises(Malformed):
        notes.sign(TEXT, KEY, lambda message: b"")


@pytest.mark.parametrize(
    "text", ["", "no newline", "tab\t\n", "nul\0\n", "return\r\n", "\ud800\n", "x" * 300_000 + "\n"]
)
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(Malformed):
        notes.sign(text, KEY, PRIVATE.sign)


def test_a_cosigners_key_signs_no_note_of_its_own() -> None:
    with pytest.raises(Malformed):
        notes.sign(TEXT, VerifierKey("w", Algorithm.COSIGNATURE_V1, KEY.public_key), PRIVATE.sign)


def test_one_key_has_another_id_for_each_type() -> None:
    cosigner = VerifierKey(KEY.name, Algorithm.COSIGNATURE_V1, KEY.public_key)
    assert cosigner.key_id != KEY.key_id
    assert VerifierKey.parse(str(cosigner)) == cosigner


def _with(material: bytes, name: str = "a") -> str:
    """A vkey with the right id for whatever is in it."""
    key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4].hex()
    return f"{name}+{key_id}+{base64.b64encode(material).decode()}"


def test_the_helper_makes_a_key_that_is_accepted() -> None:
    assert VerifierKey.parse(_with(b"\1" + bytes(32))).public_key == bytes(32)


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "++", "a+b", VKEY + "\n", " " + VKEY, VKEY + "+", VKEY[:-1], VKEY.upper(),
        VKEY.replace("530d", "530D"),
        VKEY.replace("530d", "531d"), VKEY.replace("foo", "fop"), VKEY.replace("3U2k", "3U2l"), VKEY + "====",
        VKEY.replace("/foo", " foo"), VKEY.replace("/foo", "\u2003foo"), "x" * 600, "\ud800" + VKEY,
        _with(b"\1" + bytes(31)), _with(b"\1" + bytes(33)), _with(b"\1"), _with(b"\2" + bytes(32)),
        _with(b"\3" + bytes(32)), _with(b"\6" + bytes(32)), _with(b"\xff" + bytes(32)), _with(b"\0" + bytes(32)),
        _with(b"\1" + bytes(32), "x" * 256), _with(b"\1" + bytes(32), "a\tb"),
    ],
)  # fmt: skip
def test_every_other_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(text)


@given(st.text(min_size=1, max_size=20), st.sampled_from(Algorithm), st.binary(min_size=32, max_size=32))
def test_a_verifier_key_reads_back(name: str, algorithm: Algorithm, public_key: bytes) -> None:
    try:
        check_name(name)
    except Malformed:
        with pytest.raises(Malformed):
            VerifierKey(name, algorithm, public_key)
        return
    key = VerifierKey(name, algorithm, public_key)
    assert VerifierKey.parse(str(key)) == key


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for hostile in (data, NOTE[:-40] + data, data + NOTE):
        try:
            parsed = Note.parse(hostile)
        except Malformed:
            continue
        assert bytes(parsed) == hostile
