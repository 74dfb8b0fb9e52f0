"""What is public lists its arguments, the numpydoc way, and no others."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

PACKAGES = ("experiments", "experiments.sweeps", "scenarios", "calibration")
CLASSES = ("experiments.mesa_model.Innovex", "simulator.model.InnovexModel")
# No docstring; arguments that are not described, that are not there, in another order.
FAULTS = {"GL08", "PR01", "PR02", "PR03"}


def public():
    """Names of public functions, of public methods, and of what makes a public class."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                yield f"{package}.{name}"
            elif inspect.isclass(thing):
                for method, function in vars(thing).items():
                    if inspect.isfunction(function) and not method.startswith("_"):
                        yield f"{package}.{name}.{method}"
    yield from (f"{name}.__init__" for name in CLASSES)


@pytest.mark.parametrize("name", public())
def test_a_public_name_describes_its_arguments(name):
    faults = [f"{code}: {words}" for code, words in validate(name)["errors"] if code in FAULTS]
    # A star before a name is part of the name to numpydoc, and of no order.
    assert [fault for fault in faults if not (fault.startswith("PR03") and "*" in fault)] == []
