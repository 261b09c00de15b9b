from __future__ import annotations

from lotseal.signing.context import Context


def test_an_item_is_bound_to_its_word_and_version() -> None:
    assert Context.ITEM.bind(b"HTTPS://T") == b"lotseal/item/v1\nHTTPS://T"


def test_no_bound_message_of_one_word_can_begin_like_that_of_another() -> None:
    bound = [word.bind(b"") for word in Context]
    assert all(form.count(b"\n") == 1 and form.endswith(b"\n") for form in bound)
    assert not [(a, b) for a in bound for b in bound if a is not b and a.startswith(b)]


def test_the_words_never_change() -> None:
    assert {word.value for word in Context} == {
        "lotseal/item/v1",
        "lotseal/item-tag/v1",
        "lotseal/release/v1",
        "lotseal/keys/v1",
        "lotseal/secret-commitment/v1",
        "lotseal/secret-key-id/v1",
        "lotseal/sealed-secret/v1",
    }
