"""Content rules: for each what it takes, and what it refuses with which reason and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.trace.codes.checksums import check_characters
from lotseal.trace.codes.gtin import check_digit
from lotseal.trace.codes.rules import RULES, check
from lotseal.trace.errors import Invalid

PAPER = "0952123" + "100001"  # a coupon up to its save value
PAID = PAPER + "250" + "11" + "0" + "111"  # and with its first purchase

TAKEN = {
    "couponcode": [
        PAID,
        "6952123456789" + "100001" + "3199" + "510512" + "9" + "123",
        PAID + "12" + "230" + "2" + "456" + "0952124",
        PAID + "10" + "13" + "9" + "000" + "9" + "2" + "11" + "0" + "777" + "9",
        PAID + "3270131" + "4270101" + "50123456" + "619521234" + "92201",
    ],
    "couponposoffer": ["00952123" + "100001" + "0123456", "16952123456789" + "100001" + "9123456789012345"],
    "cset39": ["", "AZ09-/#"],
    "cset64": ["", "a", "Az-_", "ab=", "a==", "abcab="],
    "cset82": ["", "!\"%&'()*+,-./09:;<=>?AZ_az"],
    "csetnumeric": ["", "0123456789"],
    "csum": ["09521234543213", "96385074", "614141007349", "195212345678900006", "0"],
    "csumalpha": ["9521Model" + check_characters("9521Model"), "_" * 97 + check_characters("_" * 97)],
    "gcppos1": ["9521", "9521X"],
    "gcppos2": ["X9521", "09521234543213"],
    "hasnondigit": ["1-1", "x"],
    "hh": ["00", "23"],
    "hhmi": ["0000", "2359"],
    "hhmm": ["1200"],
    "hyphen": ["-", "--"],
    "iban": ["DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947", "XK051212012345678906"],
    "importeridx": ["0", "Z", "z", "-", "_"],
    "iso3166": ["004", "156", "894"],
    "iso3166999": ["156", "999"],
    "iso3166alpha2": ["CN", "TW", "ZW"],
    "iso3166list": ["156", "156276004"],
    "iso4217": ["156", "975", "978", "999"],
    "iso5218": ["0", "1", "2", "9"],
    "key": ["9521"],
    "keyoff1": ["X9521"],
    "latitude": ["0000000000", "1800000000"],
    "longitude": ["0000000000", "3600000000"],
    "mediatype": ["01", "10", "80", "99"],
    "mi": ["00", "59"],
    "mmoptss": ["59", "0059"],
    "nonzero": ["1", "010"],
    "nozeroprefix": ["1", "100", ""],
    "packagetype": ["PX", "9", "201", "APE", "X11", "1A"],
    "pcenc": ["", "A%20B", "%e6%BA%af"],
    "pieceoftotal": ["0101", "0299", "12", "001002"],
    "posinseqslash": ["1/1", "2/3", "9/10", "99/100"],
    "ss": ["00", "59"],
    "winding": ["0", "1", "9"],
    "yesno": ["0", "1"],
    "yymmd0": ["270131", "270200", "280229", "000229"],
    "yymmdd": ["270131", "240229"],
    "yymmddhh": ["27013123"],
    "yyyymmd0": ["20270200", "20280229"],
    "yyyymmdd": ["20270131", "20000229"],
    "zero": ["0", "00"],
}

REFUSED = [
    ("cset39", "AB*", "invalid-cset39-character", 3),
    ("cset39", "a", "invalid-cset39-character", 1),
    ("cset64", "ab/", "invalid-cset64-character", 3),
    ("cset64", "a=b", "invalid-cset64-character", 2),
    ("cset64", "a=", "invalid-cset64-padding", 2),
    ("cset64", "abc===", "invalid-cset64-padding", 4),
    ("cset64", "/=", "invalid-cset64-padding", 2),
    ("cset82", "AB C", "invalid-cset82-character", 3),
    ("cset82", "#", "invalid-cset82-character", 1),
    ("cset82", "溯", "invalid-cset82-character", 1),
    ("csetnumeric", "12x", "non-digit-character", 3),
    ("csetnumeric", "1²", "non-digit-character", 2),
    ("csetnumeric", "٣", "non-digit-character", 1),
    ("csum", "09521234543214", "incorrect-check-digit", 14),
    ("csum", "9521x", "non-digit-character", 5),
    ("csum", "", "too-short-for-check-digit", 1),
    ("csumalpha", "A", "too-short-for-check-pair", 1),
    ("csumalpha", "9521Model22", "incorrect-check-pair", 10),
    ("csumalpha", "95 1Model22", "invalid-cset82-character", 3),
    ("csumalpha", "_" * 100, "too-long-for-check-pair-implementation", 1),
    ("gcppos1", "952", "too-short-for-gcp", 1),
    ("gcppos1", "95X12", "invalid-gcp-prefix", 3),
    ("gcppos2", "9521", "too-short-for-gcp", 2),
    ("gcppos2", "9", "too-short-for-gcp", 1),
    ("gcppos2", "0952X1", "invalid-gcp-prefix", 5),
    ("hasnondigit", "12", "requires-non-digit-character", 1),
    ("hasnondigit", "", "requires-non-digit-character", 1),
    ("hh", "24", "illegal-hour", 1),
    ("hh", "2", "hour-too-short", 1),
    ("hh", "123", "hour-too-long", 1),
    ("hh", "1x", "non-digit-character", 2),
    ("hhmi", "2460", "illegal-hour", 1),
    ("hhmi", "2360", "illegal-minute", 3),
    ("hhmi", "24x0", "illegal-hour", 1),
    ("hhmi", "23x0", "non-digit-character", 3),
    ("hhmi", "236", "hour-with-minute-too-short", 1),
    ("hhmi", "23600", "hour-with-minute-too-long", 1),
    ("hyphen", "+", "not-hyphen", 1),
    ("hyphen", "", "not-hyphen", 1),
    ("iban", "DE88370400440532013000", "incorrect-iban-checksum", 3),
    ("iban", "DE8937040044", "iban-too-short", 1),
    ("iban", "DE89 370400440532013000", "invalid-iban-character", 5),
    ("iban", "DEx9 370400440532013000", "invalid-iban-character", 5),
    ("iban", "DEx9370400440532013000", "invalid-iban-character", 3),
    ("iban", "de89370400440532013000", "illegal-iban-country-code", 1),
    ("iban", "QQ89370400440532013000", "illegal-iban-country-code", 1),
    ("iban", "QQ89", "illegal-iban-country-code", 1),
    ("iban", "QQ8", "iban-too-short", 1),
    ("iban", "MT84MALT011000012345MTLCAST001SABCD", "iban-too-long", 1),
    ("importeridx", "", "importer-idx-must-be-one-character", 1),
    ("importeridx", "AA", "importer-idx-must-be-one-character", 1),
    ("importeridx", "+", "invalid-import-idx-character", 1),
    ("iso3166", "000", "not-iso3166", 1),
    ("iso3166", "999", "not-iso3166", 1),
    ("iso3166", "15", "not-iso3166", 1),
    ("iso3166999", "998", "not-iso3166-or-999", 1),
    ("iso3166alpha2", "cn", "not-iso3166-alpha2", 1),
    ("iso3166alpha2", "UK", "not-iso3166-alpha2", 1),
    ("iso3166list", "156000", "not-iso3166", 4),
    ("iso3166list", "15627", "not-iso3166", 4),
    ("iso3166list", "", "not-iso3166", 1),
    ("iso4217", "000", "not-iso4217", 1),
    ("iso4217", "CNY", "not-iso4217", 1),
    ("iso5218", "3", "invalid-biological-sex-code", 1),
    ("latitude", "1800000001", "invalid-latitude", 1),
    ("latitude", "180", "latitude-invalid-length", 1),
    ("latitude", "18000000x0", "non-digit-character", 9),
    ("longitude", "3600000001", "invalid-longitude", 1),
    ("longitude", "36000000000", "longitude-invalid-length", 1),
    ("mediatype", "00", "invalid-media-type", 1),
    ("mediatype", "11", "invalid-media-type", 1),
    ("mi", "60", "illegal-minute", 1),
    ("mi", "6", "minute-too-short", 1),
    ("mi", "600", "minute-too-long", 1),
    ("mmoptss", "0060", "illegal-second", 3),
    ("nonzero", "000", "illegal-zero-value", 1),
    ("nonzero", "", "illegal-zero-value", 1),
    ("nonzero", "0x", "non-digit-character", 2),
    ("nozeroprefix", "012", "illegal-zero-prefix", 1),
    ("nozeroprefix", "0x", "illegal-zero-prefix", 1),
    ("nozeroprefix", "0", "illegal-zero-prefix", 1),
    ("packagetype", "AE", "invalid-package-type", 1),
    ("packagetype", "px", "invalid-package-type", 1),
    ("packagetype", "", "invalid-package-type", 1),
    ("pcenc", "A%2", "invalid-percent-sequence", 2),
    ("pcenc", "A%%20", "invalid-percent-sequence", 2),
    ("pcenc", "%2g", "invalid-percent-sequence", 1),
    ("pieceoftotal", "", "invalid-length-for-piece-of-total", 1),
    ("pieceoftotal", "01x", "non-digit-character", 3),
    ("pieceoftotal", "010", "invalid-length-for-piece-of-total", 1),
    ("pieceoftotal", "0001", "zero-piece-number", 1),
    ("pieceoftotal", "0100", "zero-total-pieces", 3),
    ("pieceoftotal", "0302", "piece-number-exceeds-total", 1),
    ("pieceoftotal", "0x02", "non-digit-character", 2),
    ("posinseqslash", "12", "position-in-sequence-malformed", 1),
    ("posinseqslash", "1/2/3", "position-in-sequence-malformed", 1),
    ("posinseqslash", "a/b", "position-in-sequence-malformed", 1),
    ("posinseqslash", "1/03", "illegal-zero-prefix", 3),
    ("posinseqslash", "01/3", "illegal-zero-prefix", 1),
    ("posinseqslash", "10/9", "position-exceeds-end", 1),
    ("ss", "60", "illegal-second", 1),
    ("ss", "6", "second-too-short", 1),
    ("winding", "2", "invalid-winding-direction", 1),
    ("winding", "", "invalid-winding-direction", 1),
    ("yesno", "2", "not-zero-or-one", 1),
    ("yymmd0", "271301", "illegal-month", 3),
    ("yymmd0", "270132", "illegal-day", 5),
    ("yymmd0", "270229", "illegal-day", 5),
    ("yymmd0", "2701", "date-too-short", 1),
    ("yymmd0", "20270101", "date-too-long", 1),
    ("yymmd0", "27010x", "non-digit-character", 6),
    ("yymmdd", "270200", "illegal-day", 5),
    ("yymmdd", "270001", "illegal-month", 3),
    ("yymmdd", "２70101", "non-digit-character", 1),
    ("yymmddhh", "27010124", "illegal-hour", 7),
    ("yyyymmd0", "20271300", "illegal-month", 5),
    ("yyyymmdd", "20270100", "illegal-day", 7),
    ("yyyymmdd", "19000229", "illegal-day", 7),
    ("yyyymmdd", "270101", "date-too-short", 1),
    ("zero", "1", "not-zero", 1),
    ("zero", "0x", "not-zero", 1),
    ("zero", "", "not-zero", 1),
    ("couponcode", "", "coupon-missing-gcp-vli", 1),
    ("couponcode", "7", "coupon-invalid-gcp-length", 1),
    ("couponcode", "0952", "coupon-truncated-gcp", 2),
    ("couponcode", "0952123", "coupon-truncated-offer-code", 1),
    ("couponcode", PAPER, "coupon-missing-save-value-vli", 1),
    ("couponcode", PAPER + "6", "coupon-invalid-save-value-length", 14),
    ("couponcode", PAPER + "31", "coupon-truncated-save-value", 15),
    ("couponcode", PAPER + "250" + "11", "coupon-missing-1st-purchase-requirement-code", 1),
    ("couponcode", PAPER + "15" + "0", "coupon-invalid-1st-purchase-requirement-length", 16),
    ("couponcode", PAID + "14", "coupon-invalid-additional-purchase-rules-code", 24),
    ("couponcode", PAID + "2117", "coupon-invalid-3rd-purchase-requirement-code", 26),
    ("couponcode", PAID + "21100008", "coupon-invalid-3rd-purchase-gcp-length", 30),
    ("couponcode", PAID + "3270231", "coupon-invalid-exipiration-date", 24),
    ("couponcode", PAID + "4270100", "coupon-invalid-start-date", 24),
    ("couponcode", PAID + "427010", "coupon-too-short-for-start-date", 24),
    ("couponcode", PAID + "32701014270102", "coupon-expiration-before-start", 23),
    ("couponcode", PAID + "5", "coupon-missing-serial-number-vli", 1),
    ("couponcode", PAID + "512345", "coupon-truncated-serial-number", 25),
    ("couponcode", PAID + "68", "coupon-invalid-retailer-gcp-or-gln-length", 24),
    ("couponcode", PAID + "93", "coupon-invalid-save-value-code", 24),
    ("couponcode", PAID + "903", "coupon-invalid-save-value-applies-to-item", 25),
    ("couponcode", PAID + "9000", "coupon-missing-dont-multiply-flag", 1),
    ("couponcode", PAID + "90002", "coupon-invalid-dont-multiply-flag", 27),
    ("couponcode", PAID + "90000" + "3", "coupon-excess-data", 28),
    ("couponcode", PAID + "4270101" + "3270131", "coupon-excess-data", 30),
    ("couponcode", PAID + "x", "non-digit-character", 23),
    ("couponposoffer", "", "coupon-missing-format-code", 1),
    ("couponposoffer", "2", "coupon-invalid-format-code", 1),
    ("couponposoffer", "0", "coupon-missing-funder-vli", 1),
    ("couponposoffer", "07", "coupon-invalid-funder-length", 2),
    ("couponposoffer", "00952", "coupon-truncated-funder", 3),
    ("couponposoffer", "0095212310", "coupon-truncated-offer-code", 9),
    ("couponposoffer", "00952123100001", "coupon-missing-serial-number-vli", 1),
    ("couponposoffer", "00952123100001112345", "coupon-truncated-serial-number", 16),
    ("couponposoffer", "0095212310000101234567", "coupon-excess-data", 22),
]


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, every in TAKEN.items() for data in every])
def test_right_data_are_taken(name: str, data: str) -> None:
    check(name, data)


@pytest.mark.parametrize(("name", "data", "reason", "position"), REFUSED)
def test_wrong_data_are_refused_with_reason_and_position(name: str, data: str, reason: str, position: int) -> None:
    with pytest.raises(Invalid) as error:
        check(name, data)
    (problem,) = error.value.problems
    assert problem.rule == f"{name}.{reason}"
    assert problem.message.values["position"] == position
    assert "%(" not in str(problem.message)


def test_every_rule_is_tried_both_ways() -> None:
    aliases = {"hhmm", "key", "keyoff1"}
    assert set(TAKEN) == set(RULES)
    assert {name for name, *_ in REFUSED} == set(RULES) - aliases


def test_a_rule_of_an_unknown_name_is_the_callers_fault() -> None:
    with pytest.raises(LookupError):
        check("nothing", "1")


@pytest.mark.parametrize("name", RULES)
@given(data=st.text(max_size=60) | st.text("0123456789%/-=AX", max_size=60))
def test_no_rule_stumbles_over_any_text(name: str, data: str) -> None:
    try:
        check(name, data)
    except Invalid as refusal:
        (problem,) = refusal.problems
        position = problem.message.values["position"]
        assert isinstance(position, int)
        assert 1 <= position <= len(data) + 1
        assert str(problem.message)


@given(st.text("0123456789", min_size=1, max_size=40))
def test_the_check_digit_that_is_told_is_the_one_that_is_taken(body: str) -> None:
    check("csum", body + check_digit(body))


@given(st.text("AZaz09-._/%", min_size=1, max_size=23))
def test_a_model_number_with_its_check_characters_is_taken_and_with_a_changed_one_refused(body: str) -> None:
    number = body + check_characters(body)
    check("csumalpha", number)
    changed = ("0" if number[0] != "0" else "1") + number[1:]
    with pytest.raises(Invalid, match="check characters"):
        check("csumalpha", changed)


def test_the_worked_example_of_the_general_specifications_for_check_characters() -> None:
    assert check_characters("1987654Ad4X4bL5ttr2310c") == "2K"
