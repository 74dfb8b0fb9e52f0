"""The path of the forecast that ships: apart from the code that makes it, since it must not change that code's hash."""

from pathlib import Path

FILE = Path(__file__).with_name("forecast_2016_2017.csv")
