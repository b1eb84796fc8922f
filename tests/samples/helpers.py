"""Samples of the helpers that generated code calls, which is differentiated again."""

from __future__ import annotations

from autograd_compiler import runtime
from samples import Sample, spread

SAMPLES: list[Sample] = [
    Sample(runtime.unbroadcast, (spread(2, 3), spread(3)), wrt=(0,)),
    Sample(runtime.unbroadcast, (spread(2, 3), spread(2, 1)), wrt=(0,)),
    Sample(runtime.unbroadcast, (spread(2, 3), spread(2, 3)), wrt=(0,)),
    Sample(runtime.unbroadcast, (spread(3), 0.5), wrt=(0,)),
    Sample(runtime.deep_copy, (spread(2, 3),)),
    Sample(runtime.add, (spread(2, 3), spread(2, 3, seed=1))),
    Sample(runtime.copied, (spread(2, 3),)),
    Sample(runtime.copied, (0.5,)),
]
