"""A small crowd of misbehaving clients; `make load` brings the large one and counts stalls."""

import pytest

import load


@pytest.mark.greedy
def test_a_crowd_that_holds_on_takes_neither_the_memory_nor_the_stream():
    seen = load.run(200, 40, 40, 5)
    assert seen["openConnectionsAtMost"] >= 200
    assert set(seen["stillsOfTheCamera"]) == {202} and seen["stillsOfTheCamera"][202] >= 2
    assert seen["parts"] >= 4
    # 64 KiB for a connection is plenty.
    assert seen["memoryAtMostMiB"] - seen["memoryBeforeMiB"] < 20 + 280 / 16
