from __future__ import annotations

import pickle

import pytest

from lotseal.signing.errors import BadSignature, Malformed, SigningError, UnknownKey, WrongPassphrase


@pytest.mark.parametrize("kind", [BadSignature, Malformed, UnknownKey, WrongPassphrase])
def test_an_error_keeps_its_rule_and_facts_on_the_way_between_processes(kind: type[SigningError]) -> None:
    error = pickle.loads(pickle.dumps(kind("serial.character", "cannot occur", position=3, character="O")))
    assert type(error) is kind
    assert (error.rule, error.facts) == ("serial.character", {"position": 3, "character": "O"})
    assert str(error) == "cannot occur [serial.character]"
