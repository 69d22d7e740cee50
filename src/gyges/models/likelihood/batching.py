"""Several token sequences in one row, so that a beginning which they share goes through the model once.

Sorted, sequences that begin alike stand side by side, and together they form a tree: each token is a node below the
token before it. The nodes are laid out in one row, with a mask that lets each node see itself and the nodes above it,
and with positions counted from the root. One pass over the row then gives every sequence what it would have got
by itself: tree attention, as in SpecInfer (Miao et al. 2024, ASPLOS). It takes the place of a cache of keys and values
that is expanded for each continuation: nothing is padded or copied, and beginnings are shared at any depth.

Covered: the order, the cuts and the layout, with numpy alone. Not covered: whether a model respects such a mask (see
`logprobs.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class TokenTree:
    """Sequences laid out as one row of n nodes."""

    ids: NDArray[np.int64]
    """(n,) token of each node."""
    positions: NDArray[np.int64]
    """(n,) tokens above each node."""
    visible: NDArray[np.bool_]
    """(n, n): whether the node of the first axis sees the one of the second."""
    paths: tuple[NDArray[np.int64], ...]
    """For each sequence the node of each of its tokens."""


def shared(a: Tokens, b: Tokens) -> int:
    """How many tokens two sequences have in common from their beginning."""
    for n, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return n
    return min(len(a), len(b))


def cuts(sequences: Sequence[Tokens], budget: int) -> Iterator[list[int]]:
    """Indices of the sequences that go into each row, sorted so that those that begin alike stand together.

    A row holds its first sequence whole, and then at most `budget` nodes in all or that first sequence and `budget`
    more where it is longer: a long beginning is still shared. Where a row is full it is cut at the sequence that
    shares least with the one before.
    """
    order = sorted(range(len(sequences)), key=lambda i: sequences[i])
    ordered = [sequences[i] for i in order]
    common = [0, *(shared(a, b) for a, b in pairwise(ordered))]
    start = 0
    while start < len(order):
        stop = _full(ordered, common, start, budget)
        if stop < len(order):  # in the second half of the row, where least would have to be read again
            places = range(start + (stop - start) // 2 + 1, stop + 1)
            stop = min(places, key=lambda i: (common[i], -i))
        yield order[start:stop]
        start = stop


def _full(ordered: Sequence[Tokens], common: Sequence[int], start: int, budget: int) -> int:
    """The first sequence that a row from `start` has no room for."""
    nodes = len(ordered[start])
    limit = budget if nodes <= budget else nodes + budget
    for i in range(start + 1, len(ordered)):
        nodes += len(ordered[i]) - common[i]
        if nodes > limit:
            return i
    return len(ordered)


def lay_out(sequences: Sequence[Tokens]) -> TokenTree:
    """One row for sorted sequences, none of them empty."""
    ids: list[int] = []
    positions: list[int] = []
    paths: list[NDArray[np.int64]] = []
    before: Tokens = ()
    for tokens in sequences:
        kept = shared(before, tokens)
        above = paths[-1][:kept] if paths else np.empty(0, np.int64)
        paths.append(np.concatenate([above, np.arange(len(ids), len(ids) + len(tokens) - kept)]))
        ids.extend(tokens[kept:])
        positions.extend(range(kept, len(tokens)))
        before = tokens
    visible = np.zeros((len(ids), len(ids)), np.bool_)
    for path in paths:
        visible[np.ix_(path, path)] |= np.tri(len(path), dtype=np.bool_)
    return TokenTree(np.array(ids), np.array(positions), visible, tuple(paths))
