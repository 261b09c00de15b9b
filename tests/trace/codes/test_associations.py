"""Which Application Identifiers go together."""

from __future__ import annotations

import pytest

from lotseal.trace.codes.associations import check_associations
from lotseal.trace.codes.element_string import split_bracketed
from lotseal.trace.errors import Invalid

GTIN = "(01)09521234543213"
OTHER = "(02)09521234543213"


@pytest.mark.parametrize(
    "text",
    [
        GTIN,
        f"{GTIN}(10)A(21)B(22)C",
        f"{GTIN}{GTIN}(99)x(99)x",
        "(00)195212345678900006(02)09521234543213(37)12",
        "(00)195212345678900006(8026)095212345432130102(37)12",
        f"{GTIN}(3100)000100(3922)1234",
        f"{GTIN}(30)2(3932)1561234",
        f"{GTIN}(21)1(250)2",
        f"{GTIN}(422)156(427)JS",
        "(8006)095212345432130102(21)1",
        "(415)9521234000006(8020)R1",
        "(255)9521234000006(3900)12",
        "(00)195212345678900006(8030)QUJD",
        f"{GTIN}(21)1(8030)QUJD",
        "(8010)9521AB(8011)1(8030)QUJD",
        "(253)9521234000006X(8030)QUJD",
        "(8018)952123450000000006(7253)A(7254)B",
        "(400)A(410)9521234000006",
        "(90)x(91)y",
    ],
)
def test_what_belongs_together_is_taken(text: str) -> None:
    check_associations(split_bracketed(text))


@pytest.mark.parametrize(
    ("text", "ai", "rule"),
    [
        (f"{GTIN}(10)A(10)B", "10", "repeats"),
        ("(400)A(99)x(400)B", "400", "repeats"),
        (f"{GTIN}{OTHER}(37)1(00)195212345678900006", "02", "mutex"),
        (f"{GTIN}(37)1", "01", "mutex"),
        (f"{GTIN}(21)1(235)2", "21", "mutex"),
        (f"{GTIN}(3100)000001(3101)000010", "3100", "mutex"),
        ("(255)9521234000006(3900)1(3940)0100", "3900", "mutex"),
        (f"{GTIN}(422)156(426)156", "422", "mutex"),
        ("(8017)952123450000000006(8018)952123450000000006", "8017", "mutex"),
        ("(10)A", "10", "requisites"),
        (f"{OTHER}", "02", "requisites"),
        (f"{OTHER}(37)1", "37", "requisites"),
        (f"{GTIN}(250)2", "250", "requisites"),
        (f"{GTIN}(3922)1234", "3922", "requisites"),
        (f"{GTIN}(427)JS", "427", "requisites"),
        ("(415)9521234000006", "415", "requisites"),
        (f"{GTIN}(8030)QUJD", "8030", "requisites"),
        ("(8010)9521AB(8030)QUJD", "8030", "requisites"),
        ("(253)9521234000006(8030)QUJD", "253", "digsig-serialised-key"),
        ("(255)9521234000006(8030)QUJD", "255", "digsig-serialised-key"),
        ("(8003)09521234000006(8030)QUJD", "8003", "digsig-serialised-key"),
    ],
)
def test_what_does_not_belong_together_is_refused(text: str, ai: str, rule: str) -> None:
    with pytest.raises(Invalid) as error:
        check_associations(split_bracketed(text))
    assert (ai, f"association.{rule}") in [(problem.field, problem.rule) for problem in error.value.problems]


def test_an_identifier_does_not_exclude_itself_though_it_matches_its_own_pattern() -> None:
    check_associations(split_bracketed(f"{GTIN}(3100)000001(3100)000001"))


def test_every_problem_is_told_and_names_what_is_needed() -> None:
    with pytest.raises(Invalid) as error:
        check_associations(split_bracketed("(10)A(250)B"))
    first, second = (str(problem.message) for problem in error.value.problems)
    assert first == "(10) BATCH/LOT cannot stand alone: it needs (01) / (02) / (03) / (8006) / (8026) in the same code."
    assert "(01)(21) / (03)(21) / (8006)(21)" in second
