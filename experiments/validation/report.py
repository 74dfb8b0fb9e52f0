"""The report on a validation: one file that opens with what the calibration is worth, and its figures."""

from pathlib import Path
from typing import Any

from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.page import show, write_page
from experiments.validation import sentences
from experiments.validation.exhibits import (
    ahead,
    calls,
    coverage,
    emulators,
    learned,
    left_out,
    outside,
    picking,
    survey,
    typicality,
    unfitted,
)
from experiments.validation.exhibits.looks import known_calls
from experiments.validation.study import Validation

TEMPLATE = "validation/validation.html.j2"
# Those with a figure are numbered in this order.
EXHIBITS: tuple[Exhibit[Validation], ...] = (
    survey.EXHIBIT,
    calls.EXHIBIT,
    coverage.EXHIBIT,
    learned.EXHIBIT,
    ahead.EXHIBIT,
    picking.EXHIBIT,
    typicality.EXHIBIT,
    emulators.EXHIBIT,
    unfitted.EXHIBIT,
    left_out.EXHIBIT,
    outside.EXHIBIT,
)


def write_report(validation: Validation, folder: Path) -> Path:
    """Write the report on a validation.

    Parameters
    ----------
    validation : Validation
        Its tables and manifest.
    folder : Path
        Gets `report.html` and `figures/*.svg|*.png`.

    Returns
    -------
    Path
        The path of `report.html`.
    """
    shown = {
        exhibit.name: show(exhibit, validation, folder, number) for number, exhibit in enumerate(EXHIBITS, start=1)
    }
    return write_page(folder, TEMPLATE, content(validation), shown)


def content(validation: Validation) -> dict[str, Any]:
    """Return what the page says beside its exhibits, by the names that the template uses."""
    return {
        "findings": sentences.findings(validation),
        "checked": validation.table("coverage") is not None,
        "known_calls": words.years(known_calls(validation)),
        "calls_ahead": ahead.calls(validation.tables["forecast"]),
        "manifest": validation.manifest,
    }
