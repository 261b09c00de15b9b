"""A monitor reads a log from outside and names the first thing that does not fit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing import merkle, monitor, tiles
from lotseal.signing.checkpoint import Checkpoint
from lotseal.signing.envelope import Envelope
from lotseal.signing.errors import BadProof, Malformed, Missing, SigningError
from lotseal.signing.monitor import State
from lotseal.signing.stretch import read_stretch
from lotseal.web.cli import log as cli

ORIGIN = "t.example.cn/log"
NOW = "2026-11-28T01:02:03.000004Z"


def a_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_history(chains: Iterable[str]) -> list[Envelope]:
    """One entry for each name, each the next of its chain."""
    ends: dict[str, tuple[str, int]] = {}
    made: list[Envelope] = []
    keys = 0
    for place, chain in enumerate(chains):
        prev, seq = ends.get(chain, (None, 0))
        envelope = Envelope(
            "batch:hold", a_hash(f"a{place}"), chain, a_hash(f"c{place}"), None, keys, prev, seq + 1, NOW
        )
        ends[chain] = (merkle.leaf_hash(envelope.to_bytes()).hex(), seq + 1)
        keys += chain == "keys"
        made.append(envelope)
    return made


class Files:
    """A published log: what its bundles and tiles hold, and what its checkpoint says."""

    def __init__(self, history: Sequence[Envelope | bytes]) -> None:
        entries = [one.to_bytes() if isinstance(one, Envelope) else one for one in history]
        self.checkpoint = Checkpoint(ORIGIN, len(entries), merkle.root(merkle.leaf_hashes(entries)))
        self.at: dict[str, bytes] = {}
        for tile in tiles.growth(0, len(entries)):
            if tile.level == tiles.ENTRIES:
                start = tile.index * tiles.WIDTH
                self.at[tile.path] = tiles.encode_bundle(entries[start : start + tile.width])
        for tile, data in tiles.grow(self.at.get, 0, merkle.leaf_hashes(entries)):
            self.at[tile.path] = data

    def follow(self, state: State | None = None, since: Checkpoint | None = None, **more: Any) -> State:
        state = state or State(ORIGIN)
        monitor.follow(self.at.get, state, self.checkpoint, since=since, **more)
        return state


TEA = ["batch:tea", "keys", "batch:milk", "batch:tea", "keys", "batch:tea"]


def refused(history: Sequence[Envelope | bytes], **more: Any) -> SigningError:
    with pytest.raises(SigningError) as error:
        Files(history).follow(**more)
    return error.value


def linked_anew(history: Sequence[Envelope]) -> list[Envelope]:
    """What an operator with full rights would do after a change: make every later link fit again."""
    ends: dict[str, tuple[str | None, int]] = {}
    made = []
    for envelope in history:
        prev, seq = ends.get(envelope.chain, (None, 0))
        made.append(replace(envelope, prev=prev, seq=seq + 1))
        ends[envelope.chain] = (merkle.leaf_hash(made[-1].to_bytes()).hex(), seq + 1)
    return made


def test_a_sound_log_is_read_to_its_end() -> None:
    state = Files(a_history(TEA)).follow()
    assert (state.size, state.keys, len(state.ends)) == (6, 2, 3)


@given(st.lists(st.sampled_from(["batch:a", "batch:b", "keys", "product:c"]), min_size=1, max_size=600), st.data())
def test_reading_on_from_anywhere_is_reading_the_whole(chains: list[str], data: st.DataObject) -> None:
    history = a_history(chains)
    cut = data.draw(st.integers(1, len(history)))
    half = State.read(Files(history[:cut]).follow().to_bytes())
    whole = Files(history)
    assert whole.follow(half).to_bytes() == whole.follow().to_bytes()


def test_an_entry_that_was_left_out_is_named() -> None:
    history = a_history(TEA)
    error = refused(history[:3] + history[4:])
    assert (error.rule, error.facts["chain"], error.facts["index"]) == ("monitor.left-out", "batch:tea", 4)


def test_entries_in_another_order_are_named() -> None:
    history = a_history(TEA)
    history[0], history[3] = history[3], history[0]
    assert refused(history).rule == "monitor.left-out"


def test_an_entry_that_was_put_in_late_is_named() -> None:
    history = a_history(TEA)
    late = replace(history[2], content=a_hash("late"))
    assert refused([*history[:3], late, *history[3:]]).rule == "monitor.left-out"


def test_a_changed_entry_breaks_the_chain_of_its_subject() -> None:
    history = a_history(TEA)
    history[0] = replace(history[0], content=a_hash("changed"))
    assert refused(history).rule == "monitor.chain"


def test_a_key_history_that_was_shortened_shows_in_every_later_entry() -> None:
    history = linked_anew([one for one in a_history(TEA) if one.chain != "keys"])
    assert refused(history).rule == "monitor.keys"


def test_a_history_that_fits_in_itself_is_held_against_what_was_seen() -> None:
    history = a_history(TEA)
    kept = Files(history).follow()
    seen = Files(history).checkpoint
    changed = linked_anew([replace(history[0], content=a_hash("changed")), *history[1:], history[0]])
    assert refused(changed, state=kept).rule == "monitor.rewritten"
    assert refused(changed, since=seen).rule == "monitor.rewritten"
    assert refused(linked_anew(history[:4]), state=kept).rule == "monitor.shrunk"
    assert refused(linked_anew(history[:4]), since=seen).rule == "monitor.shrunk"
    fork = [*history[:-1], replace(history[-1], content=a_hash("other"))]
    assert refused(fork, since=seen).rule == "monitor.rewritten", "two checkpoints of one size"


def test_an_entry_file_that_was_edited_is_named_by_its_index() -> None:
    history = a_history(TEA)
    files = Files(history)
    bundle = tiles.Tile(tiles.ENTRIES, 0, 6).path
    edited = [*history[:2], replace(history[2], content=a_hash("edited")), *history[3:]]
    files.at[bundle] = tiles.encode_bundle([one.to_bytes() for one in edited])
    with pytest.raises(BadProof) as error:
        files.follow()
    assert (error.value.rule, error.value.facts["index"]) == ("monitor.entry-changed", 2)


def test_entries_and_tiles_that_agree_are_held_against_the_signed_root() -> None:
    files = Files(a_history(TEA))
    files.checkpoint = replace(files.checkpoint, root=merkle.leaf_hash(b"other"))
    with pytest.raises(BadProof) as error:
        files.follow()
    assert error.value.rule == "monitor.root"


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        a_history(["keys"])[0].to_bytes() + b" ",
        a_history(["keys"])[0].to_bytes().replace(b'"seq":1', b'"seq":01'),
        a_history(["keys"])[0].to_bytes().replace(b'"actor":"', b'"actor":"G', 1)[:-1] + b"}",
        a_history(["keys"])[0].to_bytes().replace(a_hash("a0").encode(), a_hash("a0").upper().encode()),
        b"\xff" * 65_535,
    ],
)
def test_what_is_no_entry_is_refused(entry: bytes) -> None:
    assert isinstance(refused([entry]), Malformed)


@given(st.sampled_from(TEA), st.sampled_from(["batch:hold", "codes:commit"]), st.integers(0, 10**8))
def test_the_quick_reading_takes_exactly_what_the_careful_one_prints(chain: str, act: str, keys: int) -> None:
    envelope = replace(a_history([chain])[0], act=act, keys=keys)
    data = envelope.to_bytes()
    stretch = read_stretch(7, [(tiles.encode_bundle([data]), 1)])
    assert stretch.tree == [(0, merkle.leaf_hash(data))]
    assert stretch.heads == {chain.encode(): (7, b"", 1)}
    assert stretch.ends == {chain.encode(): (merkle.leaf_hash(data).hex().encode(), 1)}
    assert (stretch.size, stretch.keys_before, stretch.fault) == (1, keys, None)


@given(st.lists(st.sampled_from(TEA), min_size=2, max_size=900), st.data())
def test_the_first_difference_is_the_same_however_the_log_is_cut_into_stretches(
    chains: list[str], data: st.DataObject
) -> None:
    history: list[Envelope | bytes] = list(a_history(chains))
    for place in data.draw(st.lists(st.integers(0, len(history) - 1), min_size=1, max_size=3)):
        entry = history[place]
        assert isinstance(entry, Envelope | bytes)
        changes = [entry if isinstance(entry, bytes) else replace(entry, keys=entry.keys + 1), b"{}", history[0]]
        history[place] = data.draw(st.sampled_from(changes))
    found = set()
    for bundles in (1, 2, monitor.A_STRETCH):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(monitor, "A_STRETCH", bundles)
            try:
                found.add(Files(history).follow().to_bytes())
            except SigningError as error:
                found.add((error.rule, error.message))
    assert len(found) == 1


def test_several_processes_read_what_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "A_STRETCH", 1)
    monkeypatch.setattr(cli, "IN_ONE_PROCESS", 0)
    history = a_history(TEA * 300)
    with cli.spreading(len(history)) as spread:
        assert Files(history).follow(spread=spread).to_bytes() == Files(history).follow().to_bytes()
        changed = [*history[:700], replace(history[700], content=a_hash("changed")), *history[701:]]
        assert refused(changed, spread=spread).rule == "monitor.chain"


def test_a_missing_file_is_named() -> None:
    files = Files(a_history(TEA))
    del files.at[tiles.Tile(tiles.ENTRIES, 0, 6).path]
    with pytest.raises(Missing) as error:
        files.follow()
    assert error.value.facts["path"] == "tile/entries/000.p/6"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"type":"lotseal/monitor/v1"}', b"\xff"])
def test_a_state_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        State.read(data)
