"""What a command shows to people."""

from __future__ import annotations

from decimal import Decimal

from lotseal.web.cli import context


def test_parts_of_a_list_that_speak_for_themselves_stand_on_a_line_and_others_with_their_names() -> None:
    document = {
        "lines": [{"name": "lead", "result": Decimal("0.9"), "unit": "mg/kg"}],
        "signatures": [{"signer": "Lab", "integrity": {"holds": True, "word": "intact"}}],
        "roots": [{"sha256": "ab", "removed": None}],
        "pages": [1, 2],
    }
    assert list(context._flat(document)) == [
        ("lines 1", "lead · 0.9 · mg/kg"),
        ("signatures 1.signer", "Lab"),
        ("signatures 1.integrity.holds", "yes"),
        ("signatures 1.integrity.word", "intact"),
        ("roots 1.sha256", "ab"),
        ("pages 1", "1"),
        ("pages 2", "2"),
    ]
