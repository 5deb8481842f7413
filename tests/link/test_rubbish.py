"""A few thousand pieces of rubbish for every decoder.

`python -m tests.benchmarks.fuzz` feeds a million.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.fuzz.decoders import configurations, products, wire
from tests.benchmarks.fuzz.feeding import Fed, feed


@pytest.mark.parametrize(
    ("what", "count"), [("wire", 6000), ("configurations", 400), ("products", 1500)]
)
def test_rubbish_is_read_or_rejected_with_its_typed_error(tmp_path, what: str, count: int) -> None:
    decoders = {
        "wire": wire,
        "configurations": lambda: configurations(tmp_path),
        "products": lambda: products(tmp_path),
    }
    fed = Fed()
    feed(decoders[what](), count, 20261130, fed)
    assert fed.findings == []
    assert sum(fed.rejected.values()) > count / 4
    assert fed.count == count
