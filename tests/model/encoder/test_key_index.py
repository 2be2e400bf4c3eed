from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.encoder import key_index
from model.encoder.key_index import KEY_BYTES, Digests, KeyIndex

KEYS = st.integers(0, 40).map(lambda number: bytes([number % 5]) * 2 + bytes([number % 8]) + bytes(KEY_BYTES - 3))
SHARDS = st.lists(st.lists(KEYS, min_size=1, max_size=12, unique=True), max_size=12)


def digests(keys: list[bytes]) -> Digests:
    return np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)


@pytest.mark.parametrize("few", [0, 10, 10_000])
@settings(max_examples=60, deadline=None)
@given(shards=SHARDS, asked=st.lists(KEYS, max_size=30))
def test_it_finds_what_a_dictionary_finds(few: int, shards: list[list[bytes]], asked: list[bytes]) -> None:
    """Also keys that end in noughts, keys of two shards, and whether they are in the arrays or were added just now."""
    index, expected = KeyIndex(), dict[bytes, tuple[int, int]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_index, "FEW", few)
        for number, keys in enumerate(shards):
            index.add({number: digests(keys)})
            expected |= {key: (number, row) for row, key in enumerate(keys)}
        found = index.places(asked)
        assert found.shape == (len(asked), 2)
        assert [tuple(place) for place in found.tolist()] == [expected.get(key, (-1, -1)) for key in asked]
        assert index.known(asked).tolist() == [key in expected for key in asked]
        some = set(range(0, len(shards), 2))
        keys, places = index.within(some)
        assert dict(zip(keys, map(tuple, places.tolist()), strict=True)) == {
            key: place for key, place in expected.items() if place[0] in some
        }
