"""The layout of sequences in a row: every sequence is whole, sees only itself, and what is shared is there once."""

from hypothesis import given
from hypothesis import strategies as st

from gyges.models.likelihood.batching import cuts, lay_out, shared

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9).map(tuple), min_size=1, max_size=20)


@given(SEQUENCES, st.integers(1, 60))
def test_every_sequence_is_in_exactly_one_row(sequences, budget):
    rows = list(cuts(sequences, budget))
    assert sorted(i for row in rows for i in row) == list(range(len(sequences)))


@given(SEQUENCES, st.integers(1, 60))
def test_a_row_holds_its_first_sequence_and_at_most_the_budget_beside_it(sequences, budget):
    for indices in cuts(sequences, budget):
        row = lay_out([sequences[i] for i in indices])
        first = len(sequences[indices[0]])
        assert len(row.ids) <= (budget if first <= budget else first + budget)


@given(SEQUENCES)
def test_a_node_sees_its_own_sequence_up_to_itself_and_nothing_else(sequences):
    ordered = sorted(sequences)
    row = lay_out(ordered)
    for tokens, path in zip(ordered, row.paths, strict=True):
        assert tuple(row.ids[path]) == tokens
        assert list(row.positions[path]) == list(range(len(tokens)))
        for i, node in enumerate(path):
            assert set(row.visible[node].nonzero()[0]) == set(path[: i + 1])


@given(SEQUENCES)
def test_each_beginning_is_there_once(sequences):
    row = lay_out(sorted(sequences))
    assert len(row.ids) == len({tokens[: i + 1] for tokens in sequences for i in range(len(tokens))})


def test_a_full_row_is_cut_where_least_is_shared():
    a, b = [(1, 1, 1, i) for i in range(4)], [(2, 2, 2, i) for i in range(4)]
    assert sorted(next(cuts([*a, *b], 9))) == [0, 1, 2, 3]
    assert shared(a[0], a[1]) == 3
