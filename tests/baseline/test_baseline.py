"""The stored baseline: a number that moves is noticed here, and told by name and by how much."""

import pandas as pd
import pytest

from tests.baseline import numbers

TABLES = ("runs", "state", "comparison", "many", "sweep", "targets")


@pytest.fixture(scope="module")
def now(tmp_path_factory):
    return numbers.compute(numbers.kept_draws(), tmp_path_factory.mktemp("baseline"))


@pytest.mark.parametrize("table", TABLES)
def test_no_number_has_moved(now, table):
    found = numbers.moved(numbers.kept(table), now[table], table)
    assert found.empty, (
        f"{numbers.in_words(found, table)}\n"
        "If they were meant to move: `python -m tests.baseline.renew`, and say in CHANGELOG.md which and why."
    )


@pytest.mark.parametrize("table", TABLES)
def test_the_last_bit_or_a_missing_row_is_noticed(now, table):
    kept = numbers.kept(table)
    there = next(row for row in range(len(kept)) if kept["value"][row] not in ("", 0.0))
    changed = kept.copy()
    changed.loc[there, "value"] = _another(kept["value"][there], table)
    found = numbers.moved(changed, now[table], table)
    assert len(found) == 1
    assert str(found["now"].iloc[0]) in numbers.in_words(found, table) or table != "state"
    keys = [column for column in kept.columns if column != "value"]
    same = (now[table][keys].astype(str) == kept.loc[there, keys].astype(str)).all(axis=1)
    assert same.sum() == 1
    assert len(numbers.moved(kept, now[table][~same], table)) == 1
    new = 0 if table == "state" else 1  # a column that a run did not have then changes nothing that was there
    assert len(numbers.moved(kept.drop(index=there), now[table], table)) == new


def _another(value, table):
    if table == "state":
        return "0" * len(value)
    return float(pd.Series([value]).iloc[0]) * (1.0 + (2.3e-16 if table in numbers.EXACT else 1e-6))
