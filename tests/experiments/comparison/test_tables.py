"""The declared tables are those that a comparison has, column by column."""

import dataclasses

import pandas as pd
import pytest

from experiments.comparison.frames import Frames
from experiments.comparison.tables import NUMBER, TABLES, TEXT, WHOLE, table
from tests.studies import small

KINDS = {TEXT: pd.api.types.is_string_dtype, WHOLE: pd.api.types.is_integer_dtype, NUMBER: pd.api.types.is_float_dtype}


def test_every_table_is_in_the_frames_small_ones_as_fields_large_ones_read_when_used() -> None:
    fields = {field.name for field in dataclasses.fields(Frames)}
    for declared in TABLES:
        assert isinstance(getattr(Frames, declared.name), property) if declared.large else declared.name in fields


@pytest.mark.parametrize("declared", TABLES, ids=lambda declared: declared.name)
def test_a_comparison_has_the_declared_columns(declared) -> None:  # type: ignore[no-untyped-def]
    frame = getattr(small(), declared.name)
    assert list(frame.columns) == [column.name for column in declared.columns]
    for column in declared.columns:
        assert frame.empty or KINDS[column.kind](frame[column.name]), (column.name, frame[column.name].dtype)
        assert (column.unit == "") == (column.kind == TEXT), column.name
        assert column.meaning
    large = {"scenario", "draw", "run"} <= set(frame.columns)
    assert declared.large == large


def test_an_empty_table_has_its_columns() -> None:
    empty = table("reasons").empty()
    assert empty.empty and list(empty.columns) == list(small().reasons.columns)
    assert pd.concat([empty, small().reasons])["contribution"].dtype == float
