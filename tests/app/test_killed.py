"""A killed application, started again: nothing that was stored is lost, and nothing is acted upon
twice.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.killed import killed_again_and_again

pytestmark = pytest.mark.station


def test_an_application_that_is_killed_again_and_again_loses_nothing(tmp_path) -> None:
    loss = killed_again_and_again(tmp_path / "killed", kills=4, seed=7, recording_share=1.0)
    assert not loss.anything, loss.in_words()
    assert loss.stored > 10
    assert loss.sessions == 1
    assert loss.segments > 4, "each life began to record"
