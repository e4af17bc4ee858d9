"""How columns are laid out for speed: running counts and masked numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from racelog.query.project.project import _running_count, number_column


@given(st.lists(st.integers(0, 4)))
def test_a_running_count_tells_how_many_equal_values_came_before(groups):
    expected = [groups[:i].count(group) for i, group in enumerate(groups)]

    assert expected == _running_count(np.array(groups, dtype=np.int64)).tolist()


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_a_number_column_masks_what_is_missing_and_keeps_the_rest(values):
    assert values == number_column(values, np.int64).tolist()
