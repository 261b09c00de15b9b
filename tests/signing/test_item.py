from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import random
import string
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from lotseal.signing import item
from lotseal.signing.context import Context
from lotseal.signing.errors import BadSignature, Malformed, UnknownKey
from lotseal.signing.item import ALPHABET, canonical_item_uri
from lotseal.signing.keys import ORDER, PrivateKey
from lotseal.signing.secret import MacSecret

BASE = "https://t.example.cn"
GTIN = "09521321000018"
LOT = "DHP261012A"
SERIAL = "23456789AC"
FORGERIES = 20_000

CSET82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

plain_values = st.text(st.sampled_from(CSET82), min_size=1, max_size=20).filter(lambda text: text not in (".", ".."))
gtins = st.text(st.sampled_from(string.digits), min_size=14, max_size=14)
serials = st.text(st.sampled_from(ALPHABET), min_size=20, max_size=20)


@pytest.fixture(scope="module")
def secret() -> MacSecret:
    return MacSecret(bytes(range(32)))


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate()


# --- canonical Digital Link -------------------------------------------------------------------------------------------


def test_the_alphabet_holds_no_look_alikes() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 28
    assert not set(ALPHABET) & set("0O1ILSBZ")


@pytest.mark.parametrize(
    ("base", "lot", "serial", "uri"),
    [
        (BASE, LOT, SERIAL, b"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/DHP261012A/21/23456789AC"),
        (BASE, None, SERIAL, b"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/23456789AC"),
        ("http://127.0.0.1:8000", "a/b", "c", b"HTTP://127.0.0.1:8000/01/09521321000018/10/a%2Fb/21/c"),
        ("HTTPS://t.Example.CN", "x-y._", "%", b"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/x-y._/21/%25"),
        ("http://localhost", "...", "?", b"HTTP://LOCALHOST/01/09521321000018/10/.../21/%3F"),
    ],
)
def test_a_digital_link_has_one_canonical_form(base: str, lot: str | None, serial: str, uri: bytes) -> None:
    assert canonical_item_uri(base, GTIN, lot, serial) == uri


def test_exactly_the_82_characters_are_allowed_in_lots_and_serials() -> None:
    allowed = set()
    for code in range(0x250):
        try:
            canonical_item_uri(BASE, GTIN, f"A{chr(code)}", f"A{chr(code)}")
        except Malformed:
            continue
        allowed.add(chr(code))
    assert allowed == set(CSET82)
    assert len(allowed) == 82


@given(gtin=gtins, lot=st.none() | plain_values, serial=plain_values)
def test_the_parts_come_back_from_the_canonical_form(gtin: str, lot: str | None, serial: str) -> None:
    parts = canonical_item_uri(BASE, gtin, lot, serial).decode("ascii").removeprefix("HTTPS://T.EXAMPLE.CN/").split("/")
    expected = ["01", gtin, *([] if lot is None else ["10", lot]), "21", serial]
    assert [unquote(part) for part in parts] == expected


@given(one=st.tuples(st.none() | plain_values, plain_values), two=st.tuples(st.none() | plain_values, plain_values))
@example(one=("a/21/b", "c"), two=("a", "b/21/c"))
@example(one=("%2F", "c"), two=("/", "c"))
def test_two_different_items_never_share_a_canonical_form(
    one: tuple[str | None, str], two: tuple[str | None, str]
) -> None:
    assert (canonical_item_uri(BASE, GTIN, *one) == canonical_item_uri(BASE, GTIN, *two)) == (one == two)


@pytest.mark.parametrize(
    "base",
    [
        "",
        "t.example.cn",
        "ftp://t.example.cn",
        "https://",
        "https://t.example.cn/",
        "https://t.example.cn/path",
        "https://t.example.cn?x",
        "https://t.example.cn#x",
        "https://t.example.cn\n",
        " https://t.example.cn",
        "https://user@t.example.cn",
        "https://t.example.cn:",
        "https://t.example.cn:0",
        "https://t.example.cn:08000",
        "https://t.example.cn:65536",
        "https://t.example.cn:443",
        "http://t.example.cn:80",
        "https://t.example.cn:\u0664",
        "https://t..example.cn",
        "https://t.example.cn.",
        "https://-t.example.cn",
        "https://t_t.example.cn",
        "https://溯印.example.cn",
        "https://\u017f.example.cn",
        "https://127.0.0.256",
        "https://127.1",
        "https://127.0.0.01",
        "https://[::1]",
        "https://" + "a" * 64 + ".cn",
        "https://" + ".".join(["a" * 63] * 4),
        "https://" + "a." * 100_000 + "cn",
    ],
)
def test_a_base_of_another_form_is_refused(base: str) -> None:
    with pytest.raises(Malformed) as refused:
        canonical_item_uri(base, GTIN, LOT, SERIAL)
    assert refused.value.rule == "uri.base"


def test_the_other_scheme_may_name_the_port_that_is_not_its_own() -> None:
    assert canonical_item_uri("https://t.cn:80", GTIN, None, "A").startswith(b"HTTPS://T.CN:80/")
    assert canonical_item_uri("http://t.cn:443", GTIN, None, "A").startswith(b"HTTP://T.CN:443/")


@pytest.mark.parametrize(
    "gtin", ["", "0952132100001", "095213210000180", "0952132100001X", "\u06609521321000018", GTIN + "\n"]
)
def test_a_gtin_of_another_form_is_refused(gtin: str) -> None:
    with pytest.raises(Malformed) as refused:
        canonical_item_uri(BASE, gtin, LOT, SERIAL)
    assert refused.value.rule == "uri.gtin"


@pytest.mark.parametrize(
    "value", ["", "A" * 21, "A B", "A\n", "批次", "é", "~", "#", "@", "\0", ".", "..", "A" * 10**6]
)
def test_a_lot_or_serial_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(Malformed) as refused:
        canonical_item_uri(BASE, GTIN, value, SERIAL)
    assert refused.value.rule == "uri.lot"
    with pytest.raises(Malformed) as refused:
        canonical_item_uri(BASE, GTIN, LOT, value)
    assert refused.value.rule == "uri.serial"


NOT_CANONICAL = [
    b"",
    b"https://t.example.cn/01/09521321000018/21/23456789AC",
    b"HTTPS://t.example.cn/01/09521321000018/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/23456789AC/",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/23456789AC\n",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/23456789AC?s=1",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/23456789A%43",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/a%2f/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/a+b%/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/%E6%89%B9/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN:443/01/09521321000018/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN/01/9521321000018/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN/21/23456789AC/01/09521321000018",
    b"HTTPS://T.EXAMPLE.CN//01/09521321000018/21/23456789AC",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/10//21/23456789AC",
    b"\xff",
    b"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/" + b"A" * 100_000,
]


@pytest.mark.parametrize("uri", NOT_CANONICAL)
def test_bytes_that_are_not_canonical_are_neither_tagged_nor_signed_nor_verified(
    secret: MacSecret, key: PrivateKey, uri: bytes
) -> None:
    signature = key.sign(Context.ITEM, uri)
    with pytest.raises(Malformed):
        item.tag(secret, uri)
    with pytest.raises(Malformed):
        item.sign_item(key, "2", uri)
    with pytest.raises(Malformed):
        item.verify_item(key.public, uri, signature)


def test_an_over_long_uri_is_refused_before_it_is_read(secret: MacSecret, key: PrivateKey) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL) + b"2" * 100_000
    for attempt in (
        lambda: item.tag(secret, uri),
        lambda: item.sign_item(key, "2", uri),
        lambda: item.verify_item(key.public, uri, bytes(64)),
    ):
        with pytest.raises(Malformed) as refused:
            attempt()
        assert refused.value.rule == "uri.length"


def test_the_longest_possible_uri_is_not_refused(key: PrivateKey) -> None:
    base = "https://" + ".".join(["a" * 63] * 3 + ["a" * 61]) + ":65535"
    uri = canonical_item_uri(base, GTIN, "%" * 20, "%" * 20)
    item.check_signature({"7": key.public}, uri, item.sign_item(key, "7", uri))


# --- tier A -----------------------------------------------------------------------------------------------------------


def test_a_tag_is_the_mac_in_base_28(secret: MacSecret) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL)
    digest = hmac.new(bytes(range(32)), b"lotseal/item-tag/v1\n" + uri, hashlib.sha256).digest()
    text = item.tag(secret, uri)
    number = 0
    for character in text:
        number = number * 28 + ALPHABET.index(character)
    assert len(text) == 10
    assert number == int.from_bytes(digest, "big") % 28**10


def test_a_tag_never_changes_between_releases(secret: MacSecret) -> None:
    assert item.tag(secret, canonical_item_uri(BASE, GTIN, LOT, SERIAL)) == "75PX84EXQK"


@given(gtin=gtins, lot=st.none() | plain_values)
def test_a_fresh_serial_checks(secret: MacSecret, gtin: str, lot: str | None) -> None:
    serial = item.new_serial(secret, BASE, gtin, lot)
    assert len(serial) == 20
    assert set(serial) <= set(ALPHABET)
    item.check_serial(secret, BASE, gtin, lot, serial)


def test_random_parts_use_the_whole_alphabet_and_do_not_repeat() -> None:
    parts = [item.new_serial_part() for _ in range(2_000)]
    assert len(set(parts)) == 2_000
    assert {len(part) for part in parts} == {10}
    assert set("".join(parts)) == set(ALPHABET)


def test_every_change_of_one_character_in_a_serial_is_refused(secret: MacSecret) -> None:
    serial = item.new_serial(secret, BASE, GTIN, LOT)
    for place, old in enumerate(serial):
        for new in ALPHABET.replace(old, ""):
            with pytest.raises(BadSignature) as refused:
                item.check_serial(secret, BASE, GTIN, LOT, serial[:place] + new + serial[place + 1 :])
            assert refused.value.rule == "tag.mismatch"


def test_a_serial_is_bound_to_its_host_gtin_lot_and_secret(secret: MacSecret) -> None:
    serial = item.new_serial(secret, BASE, GTIN, LOT)
    for other, base, gtin, lot in (
        (MacSecret.generate(), BASE, GTIN, LOT),
        (secret, "https://u.example.cn", GTIN, LOT),
        (secret, "http://t.example.cn", GTIN, LOT),
        (secret, BASE, "09521322000017", LOT),
        (secret, BASE, GTIN, "DHP261012B"),
        (secret, BASE, GTIN, "dhp261012a"),
        (secret, BASE, GTIN, None),
    ):
        with pytest.raises(BadSignature):
            item.check_serial(other, base, gtin, lot, serial)


@pytest.mark.parametrize(
    "serial", ["", SERIAL, SERIAL * 3, "S" * 20, "a" * 20, SERIAL * 2 + "\n", "2" * 10**6, "\u0662" * 20]
)
def test_a_serial_of_another_form_is_refused(secret: MacSecret, serial: str) -> None:
    with pytest.raises(Malformed) as refused:
        item.check_serial(secret, BASE, GTIN, LOT, serial)
    assert refused.value.rule == "serial.form"


def test_a_tag_of_another_form_is_refused(secret: MacSecret) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL)
    good = item.tag(secret, uri)
    item.check_tag(secret, uri, good)
    for candidate in ("", good[:-1], good + "2", good.lower(), good[:-1] + "0", good[:-1] + "é"):
        with pytest.raises(Malformed) as refused:
            item.check_tag(secret, uri, candidate)
        assert refused.value.rule == "tag.characters"


def test_only_the_random_part_is_tagged(secret: MacSecret) -> None:
    for serial in (SERIAL * 2, SERIAL[:-1], SERIAL[:-1] + "S"):
        with pytest.raises(Malformed) as refused:
            item.tag(secret, canonical_item_uri(BASE, GTIN, LOT, serial))
        assert refused.value.rule == "tag.random-part"


def test_none_of_20_000_forged_serials_is_accepted(secret: MacSecret) -> None:
    dice = random.Random(20261122)
    other = MacSecret.generate()
    real = [item.new_serial(secret, BASE, GTIN, LOT) for _ in range(50)]

    def forged() -> str:
        way, known = dice.randrange(5), dice.choice(real)
        if way == 0:
            return "".join(dice.choices(ALPHABET, k=20))
        if way == 1:  # a real random part with a guessed tag
            return known[:10] + "".join(dice.choices(ALPHABET, k=10))
        if way == 2:  # the tag of another real item
            return dice.choice(real)[:10] + known[10:]
        if way == 3:  # two characters exchanged
            one, two = sorted(dice.sample(range(20), 2))
            return known[:one] + known[two] + known[one + 1 : two] + known[one] + known[two + 1 :]
        return item.new_serial(other, BASE, GTIN, LOT)

    accepted = refused = 0
    while refused < FORGERIES:
        serial = forged()
        if serial in real:
            continue
        try:
            item.check_serial(secret, BASE, GTIN, LOT, serial)
        except BadSignature:
            refused += 1
        else:
            accepted += 1
    assert (accepted, refused) == (0, FORGERIES)


# --- tier B -----------------------------------------------------------------------------------------------------------


def test_a_signature_is_checked_by_another_path_from_its_public_key_alone(key: PrivateKey) -> None:
    """By hand, as an auditor would: digits to DER, JWK to point, the bytes under their context word."""
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    text = item.sign_item(key, "7", uri)
    number = int(text[1:])
    jwk = key.public.to_jwk()
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[axis] + "="), "big") for axis in "xy")
    point = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    der = encode_dss_signature(number >> 256, number & 2**256 - 1)
    point.verify(der, b"lotseal/item/v1\n" + uri, ec.ECDSA(hashes.SHA256()))


@given(lot=st.none() | plain_values, serial=serials, name=st.sampled_from(ALPHABET))
def test_a_signed_item_verifies(key: PrivateKey, lot: str | None, serial: str, name: str) -> None:
    uri = canonical_item_uri(BASE, GTIN, lot, serial)
    text = item.sign_item(key, name, uri)
    assert len(text) == 156
    assert text[1:].isdigit()
    assert item.parse_signature(text)[0] == name
    item.verify_item(key.public, uri, item.parse_signature(text)[1])
    item.check_signature({name: key.public}, uri, text)


def test_signing_twice_gives_the_same_text(key: PrivateKey) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    assert item.sign_item(key, "2", uri) == item.sign_item(key, "2", uri)


@given(name=st.sampled_from(ALPHABET), number=st.integers(0, 2**512 - 1))
@example(name="2", number=0)
@example(name="Y", number=2**512 - 1)
def test_each_signature_text_is_the_only_one_for_its_bytes(name: str, number: int) -> None:
    text = name + str(number).rjust(155, "0")
    assert item.parse_signature(text) == (name, number.to_bytes(64, "big"))


def test_every_change_of_one_character_in_a_signature_is_refused(key: PrivateKey) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    keys = {name: PrivateKey.generate().public for name in ALPHABET} | {"7": key.public}
    text = item.sign_item(key, "7", uri)
    item.check_signature(keys, uri, text)
    for place, old in enumerate(text):
        for new in (ALPHABET if place == 0 else string.digits + "A- ").replace(old, ""):
            with pytest.raises((BadSignature, Malformed)):
                item.check_signature(keys, uri, text[:place] + new + text[place + 1 :])


@given(number=st.integers(0, 10**155 - 1))
def test_a_random_number_is_no_signature(key: PrivateKey, number: int) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    with pytest.raises((BadSignature, Malformed)):
        item.check_signature({"7": key.public}, uri, f"7{number:0155d}")


DIGITS = "1".rjust(155, "0")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "signature.length"),
        (DIGITS, "signature.length"),
        ("2" + DIGITS[1:], "signature.length"),
        ("20" + DIGITS, "signature.length"),
        ("2" + DIGITS + "\n", "signature.length"),
        ("2" * 10**6, "signature.length"),
        ("0" + DIGITS, "signature.key"),
        ("S" + DIGITS, "signature.key"),
        ("a" + DIGITS, "signature.key"),
        ("2" + "\u0664" * 155, "signature.digits"),
        ("2" + "\u00b2" * 155, "signature.digits"),
        ("2" + "\uff11" * 155, "signature.digits"),
        ("2+" + DIGITS[1:], "signature.digits"),
        ("2-" + DIGITS[1:], "signature.digits"),
        ("2 " + DIGITS[1:], "signature.digits"),
        ("2" + DIGITS[:-2] + "_1", "signature.digits"),
        ("2" + DIGITS[:-1] + "\n", "signature.digits"),
        ("2" + str(2**512), "signature.size"),
        ("2" + "9" * 155, "signature.size"),
    ],
)
def test_another_spelling_of_a_signature_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Malformed) as refused:
        item.parse_signature(text)
    assert refused.value.rule == rule


def test_the_second_signature_that_the_curve_would_accept_is_refused(key: PrivateKey) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    _, signature = item.parse_signature(item.sign_item(key, "7", uri))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    with pytest.raises(BadSignature) as refused:
        item.check_signature({"7": key.public}, uri, f"7{r << 256 | (ORDER - s):0155d}")
    assert refused.value.rule == "signature.high-s"


def test_a_signature_is_bound_to_its_item(key: PrivateKey) -> None:
    text = item.sign_item(key, "7", canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2))
    for uri in (
        canonical_item_uri(BASE, GTIN, LOT, SERIAL + SERIAL[::-1]),
        canonical_item_uri(BASE, GTIN, None, SERIAL * 2),
        canonical_item_uri(BASE, "09521322000017", LOT, SERIAL * 2),
        canonical_item_uri("https://u.example.cn", GTIN, LOT, SERIAL * 2),
    ):
        with pytest.raises(BadSignature):
            item.check_signature({"7": key.public}, uri, text)


def test_a_signature_for_another_purpose_is_refused(key: PrivateKey) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    with pytest.raises(BadSignature):
        item.verify_item(key.public, uri, key.sign(Context.RELEASE, uri))


def test_a_key_that_nobody_holds_is_named(key: PrivateKey) -> None:
    uri = canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2)
    with pytest.raises(UnknownKey) as refused:
        item.check_signature({"7": key.public}, uri, item.sign_item(key, "9", uri))
    assert refused.value.facts == {"key": "9"}


@pytest.mark.parametrize("name", ["", "S", "0", "22", "é"])
def test_a_key_name_outside_the_alphabet_signs_nothing(key: PrivateKey, name: str) -> None:
    with pytest.raises(Malformed) as refused:
        item.sign_item(key, name, canonical_item_uri(BASE, GTIN, LOT, SERIAL * 2))
    assert refused.value.rule == "signature.key"


# --- typed serials ----------------------------------------------------------------------------------------------------

FULL_WIDTH = {ord(c): ord(c) - 0x21 + 0xFF01 for c in string.ascii_letters + string.digits}
MISREADINGS = {"5": "S", "8": "B", "2": "Z"}


@given(
    serial=serials,
    half=st.booleans(),
    dice=st.randoms(use_true_random=False),
    separators=st.text(
        st.sampled_from(" -._\t\u3000\u00a0\u2013\u2014\uff0d\uff0e\uff3f\u3002\u200b\u2212\ufeff"), max_size=8
    ),
)
def test_a_serial_is_read_however_a_person_types_it(
    serial: str, half: bool, dice: random.Random, separators: str
) -> None:
    wanted = serial[:10] if half else serial
    typed = [MISREADINGS.get(c, c) if dice.random() < 0.5 else c for c in wanted]
    typed = [c.lower() if dice.random() < 0.5 else c for c in typed]
    typed = [c.translate(FULL_WIDTH) if dice.random() < 0.3 else c for c in typed]
    for separator in separators:
        typed.insert(dice.randrange(len(typed) + 1), separator)
    assert item.normalise_typed_serial("".join(typed)) == wanted


@given(serials)
def test_a_grouped_serial_reads_back(serial: str) -> None:
    assert item.normalise_typed_serial(item.group(serial)) == serial


def test_a_serial_is_grouped_in_fives() -> None:
    assert item.group("23456789ACDEFGHJKMNP") == "23456-789AC-DEFGH-JKMNP"
    assert item.group("23456789AC") == "23456-789AC"


@pytest.mark.parametrize("serial", ["", "2345", "23456-789AC", "S" * 20, "2" * 21])
def test_only_a_serial_is_grouped(serial: str) -> None:
    with pytest.raises(Malformed) as refused:
        item.group(serial)
    assert refused.value.rule == "serial.form"


@pytest.mark.parametrize(
    ("typed", "position", "character"),
    [
        ("O3456-789AC", 1, "O"),
        ("23456-0", 6, "0"),
        ("23456 78 9i", 9, "i"),
        ("2l", 2, "l"),
        ("234567891", 9, "1"),
        ("23O", 3, "O"),
        ("2\u00df", 2, "\u00df"),
        ("2\ufb01", 2, "\ufb01"),
        ("2\u0131", 2, "\u0131"),
        ("2é", 2, "é"),
        ("2溯", 2, "溯"),
        ("2🙂", 2, "🙂"),
        ("2<script>", 2, "<"),
        ("2\0", 2, "\0"),
        ("2\ud800", 2, "\ud800"),
        ("2\u0663", 2, "\u0663"),
    ],
)
def test_a_character_that_cannot_occur_is_named_with_its_place(typed: str, position: int, character: str) -> None:
    with pytest.raises(Malformed) as refused:
        item.normalise_typed_serial(typed)
    assert refused.value.rule == "serial.character"
    assert refused.value.facts == {"position": position, "character": character}


@pytest.mark.parametrize(
    ("typed", "length"),
    [("", 0), ("- -", 0), ("2345", 4), ("2" * 11, 11), ("2" * 19, 19), ("2" * 21, 21), ("2" * 10**6, 10**6)],
)
def test_a_serial_of_another_length_is_refused(typed: str, length: int) -> None:
    with pytest.raises(Malformed) as refused:
        item.normalise_typed_serial(typed)
    assert refused.value.rule == "serial.length"
    assert refused.value.facts == {"length": length}


def test_an_over_long_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(Malformed) as refused:
        item.normalise_typed_serial("O" * 10**6)
    assert refused.value.rule == "serial.length"


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_stumble(text: str) -> None:
    # Anything but a typed refusal would leave this function.
    with contextlib.suppress(Malformed):
        assert set(item.normalise_typed_serial(text)) <= set(ALPHABET)
