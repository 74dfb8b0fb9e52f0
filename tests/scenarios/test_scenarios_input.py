"""Bad input: whatever a file holds, the answer is one sentence that helps."""

import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scenarios
from scenarios import entries, files, scenario

HEAD = 'title = "Mine"\nquestion = "What if?"\n'


def refusal(path_or_name):
    """Return the message with which a scenario is refused."""
    with pytest.raises(scenarios.InputError) as caught:
        scenarios.load(path_or_name)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 900
    return message


@pytest.fixture
def told(tmp_path):
    """Write a file and return the message with which it is refused."""

    def write(body, head=HEAD):
        path = tmp_path / "mine.toml"
        path.write_bytes((head + body).encode() if isinstance(body, str) else body)
        message = refusal(path)
        assert str(path) in message
        return message.replace(f"{path}", "mine.toml")

    return write


CASES = {
    "unknown key": ('extend = "baseline"', "extend: ", "did you mean extends?"),
    "unknown lever": (
        "[from.2016]\ngrant_facter = 2",
        "from.2016.grant_facter: ",
        "did you mean grant_factor?",
    ),
    "lever in the wrong place": ("grant_factor = 2", "did you mean grant_factor under [from.<call year>]?"),
    "behaviour in the wrong place": ("trust_months = 2", "did you mean trust_months under [parameters]?"),
    "behaviour with a date": ("[from.2016]\ntrust_months = 2", "from.2016.trust_months", "not known here"),
    "rule of a funder for all": ("[from.2016]\nbudget_eur = 2", "under [from.<call year>.funders.<code>]"),
    "unknown funder": (
        "[from.2016.funders.DKK]\nbudget_eur = 2",
        "from.2016.funders.DKK",
        "did you mean DK?",
    ),
    "unknown rule": ("[from.2016.funders.DK]\nbudget = 2", "funders.DK.budget", "did you mean budget_eur?"),
    "unknown parameter": (
        "[parameters]\ntrust_month = 2",
        "parameters.trust_month",
        "did you mean trust_months?",
    ),
    "text for a number": ('[from.2016]\ngrant_factor = "5"', "text '5' does not fit", "0.1 to 10 (ratio)"),
    "true for a number": ("[from.2016]\ngrant_factor = true", "true does not fit", "0.1 to 10 (ratio)"),
    "number for true": ("[from.2016]\nheld = 1", "1 does not fit", "true or false"),
    "number for a choice": ("[from.2016]\nfunding_rule = 3", "3 is not a choice", "common_pot"),
    "text for true": ('[from.2016]\nheld = "no"', "text 'no' does not fit", "true or false"),
    "date for a number": ("[from.2016]\ngrant_factor = 2016-01-01", "2016-01-01 does not fit"),
    "list for a number": ("[from.2016]\ngrant_factor = [1]", "a list does not fit"),
    "number for a table": ("from = 3", "from: 3 does not fit", "a table"),
    "above": ("[from.2016]\ngrant_factor = 50", "50 is out of range", "0.1 to 10 (ratio)"),
    "below": (
        "[parameters]\nfatigue = -0.1",
        "parameters.fatigue: -0.1 is out of range",
        "0 to 0.5 (per month)",
    ),
    "nan": ("[from.2016]\ngrant_factor = nan", "nan is not a finite number", "0.1 to 10"),
    "infinity": ("[parameters]\ntrust_months = inf", "inf is not a finite number", "0.5 to 120"),
    "400 digits": (f"[from.2016]\ngrant_factor = {'9' * 400}", "far too large"),
    "5000 digits": (f"[from.2016]\ngrant_factor = {'9' * 5000}", "a number that is too long"),
    "no call": ("[from.2012]\nheld = false", "from.2012", "2013, 2014", "did you mean 2013?"),
    "no year": ("[from.soon]\nheld = false", "from.soon", "2013, 2014"),
    "unknown choice": (
        '[from.2016]\nfunding_rule = "all_or_nothing"',
        "all_or_nothing",
        "did you mean all_or_none?",
    ),
    "last call": ("last_call = 2030", "2030 is not a choice", "2013, 2014"),
    "short horizon": ("horizon_months = 5", "5 is out of range", "at least 12"),
    "broken horizon": ("horizon_months = 60.5", "60.5 does not fit", "a whole number"),
    "twice": ('title = "Again"', "not TOML", "line 3"),
    "table twice": ("[from.2016]\nheld = true\n[from.2016]\nheld = false", "not TOML", "line 5"),
    "not TOML": ("[from.2016\nheld = true", "not TOML", "line 3, column 11"),
    "YAML": ("from:\n  2016: 3", "not TOML", "line 3"),
    "too deep": ("x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    "parent's name": ('extends = "basline"', "there is no scenario 'basline'", "did you mean baseline?"),
    "parent's path": ('extends = "../basline.toml"', "there is no scenario", "did you mean baseline?"),
    "itself": ('extends = "mine.toml"', "extends itself (mine -> mine)"),
    "itself another way": ('extends = "./../{here}/mine.toml"', "extends itself"),
    "funder that is not there": (
        "[from.2016.funders.FI]\nbudget_eur = 9",
        "FI takes no part in the call of 2016",
        "DK",
    ),
    "funder that left": (
        "[from.2016.funders.DK]\ntakes_part = false\nbudget_eur = 9",
        "budget_eur: DK takes no part in the call of 2016",
    ),
    "newcomer without money": ("[from.2016.funders.FI]\ntakes_part = true", "has no budget", "budget_eur"),
    "control characters": ('"a\\u001b[31m\\n" = 1', "a?[31m?"),
    "nameless key": ('"" = 1', '"": this name is not known here'),
    "endless key": ("a" * 5000 + " = 1", "…"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_content_is_told_in_one_sentence(case, told, tmp_path):
    body, *expected = CASES[case]
    message = told(body.replace("{here}", tmp_path.name) + "\n")
    for words in expected:
        assert words in message


def test_the_whole_sentence(told):
    assert told("[from.2016]\nproject_months = 0\n[parameters]\nfatigue = 2\n") == (
        "mine.toml, from.2016.project_months: 0 is out of range; allowed: 1 to 240 (months), or a change such as"
        " { times = 0.8 }; and 1 more fault"
    )


def test_missing_and_blank_words_are_told(told):
    assert "title: it is missing; and 1 more fault" in told("last_call = 2017\n", head="")
    assert "title: it is empty" in told('title = "  "\nquestion = "?"\n', head="")
    assert "title: 3 does not fit; allowed: text" in told('title = 3\nquestion = "?"\n', head="")


def test_two_files_that_extend_each_other_are_told(tmp_path):
    for own, other in (("one", "two"), ("two", "one")):
        (tmp_path / f"{own}.toml").write_text(f'extends = "{other}.toml"\n{HEAD}')
    assert "one -> two -> one" in refusal(tmp_path / "one.toml")


def test_a_link_does_not_hide_a_circle(tmp_path):
    (tmp_path / "one.toml").write_text(f'extends = "two.toml"\n{HEAD}')
    (tmp_path / "two.toml").symlink_to(tmp_path / "one.toml")
    assert "extends itself" in refusal(tmp_path / "one.toml")


def test_a_chain_without_end_is_refused(tmp_path):
    for n in range(30):
        (tmp_path / f"n{n}.toml").write_text(f'extends = "n{n + 1}.toml"\n{HEAD}')
    assert "chain of parents is too long" in refusal(tmp_path / "n0.toml")


def test_a_fault_in_a_parent_names_the_parent(tmp_path):
    (tmp_path / "parent.toml").write_text(HEAD + "[from.2016]\nhold = true\n")
    (tmp_path / "child.toml").write_text(f'extends = "parent.toml"\n{HEAD}')
    assert "parent.toml, from.2016.hold" in refusal(tmp_path / "child.toml")


# files


def test_empty_files_are_told(told):
    assert "it is empty" in told(b"") and "it is empty" in told(b" \n\n")


def test_other_encodings_are_told(told):
    assert "not UTF-8 text (line 2)" in told(b'title = "x"\nquestion = "\xe6"\n')
    assert "not UTF-8" in told('title = "x"'.encode("utf-16"))


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert scenarios.load(tmp_path / "mine.toml").title == "Mine"


def test_a_huge_file_is_refused_by_its_size_alone(tmp_path, monkeypatch):
    path = tmp_path / "huge.toml"
    with open(path, "wb") as file:
        file.truncate(100_000_000)
    monkeypatch.setattr(files, "open", lambda *_: pytest.fail("it was opened"), raising=False)
    assert "too large (100.0 MB); allowed: up to 1 MB" in refusal(path)


def test_a_file_just_over_the_limit_is_refused_and_one_below_is_not(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + "#" * (1_000_000 - len(HEAD)))
    assert scenarios.load(path).title == "Mine"
    path.write_text(HEAD + "#" * (1_000_001 - len(HEAD)))
    assert "too large" in refusal(path)


def test_directories_and_devices_are_told(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    assert "it is a directory" in refusal(tmp_path / "folder.toml")
    assert "it is a directory" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.toml")
    assert "not a plain file" in refusal(tmp_path / "pipe.toml")


def test_missing_files_and_names_are_told(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "nothing.toml")
    assert "did you mean baseline?" in refusal(str(tmp_path / "basline.toml"))
    assert "did you mean projects_24?" in refusal("project_24")
    assert "baseline, all_or_none" in refusal("xyzzy")
    assert "baseline, all_or_none" in refusal("")
    assert "zero character" in refusal("a\0.toml")
    assert "no such file" in refusal("a" * 5000 + ".toml")


def test_what_is_no_name_is_told():
    for thing in (3, None, True, b"baseline", ["baseline"]):
        assert "allowed: a name or a path" in refusal(thing)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_no_permission_is_told(tmp_path, monkeypatch):
    path = tmp_path / "secret.toml"
    path.write_text(HEAD)
    path.chmod(0)
    if os.access(path, os.R_OK):  # as root everything can be read

        def closed(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(files, "open", closed, raising=False)
    assert "no permission to read it" in refusal(path)


def test_whatever_else_the_system_says_is_told(tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text(HEAD)

    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "open", broken, raising=False)
    assert "cannot be read (input/output error)" in refusal(path)


def test_bad_files_are_refused_quickly(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + "".join(f"key_{n} = {n}\n" for n in range(20_000)))
    start = time.perf_counter()
    assert "and 19999 more faults" in refusal(path)
    assert time.perf_counter() - start < 5


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode("utf-8", "ignore")))
def test_no_bytes_at_all_raise_anything_else(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "anything.toml"
    path.write_bytes(content)
    try:
        scenarios.load(path)
    except scenarios.InputError as error:
        assert str(error).isprintable()


# values given from Python


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"trust_month": 1}, "did you mean trust_months?"),
        ({"trust_months": float("nan")}, "nan is out of range; allowed: 0.5 to 120 (months)"),
        ({"trust_months": np.inf}, "inf is out of range"),
        ({"trust_months": "9"}, "text '9' does not fit"),
        ({"trust_months": True}, "true does not fit"),
        ({"trust_months": None}, "does not fit"),
        ({"trust_months": 9, "h_rni": -1, "fatigue": 9}, "h_rni: -1.0 is out of range; allowed: 0 to 2"),
        ({"project_months": 12}, "not known here"),
        ([1, 2], "a list does not fit"),
    ],
)
def test_bad_draws_are_told(given, expected):
    with pytest.raises(scenarios.InputError) as caught:
        scenarios.load("baseline").resolve(given)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"budget_scale": 2},
        {"budget_scale": -1, "scale_from": 2016},
        {"budget_scale": float("nan"), "scale_from": 2016},
        {"budget_scale": "2", "scale_from": 2016},
        {"budget_scale": True, "scale_from": 2016},
        {"last_call": 2030},
        {"last_call": "2016"},
        {"last_call": True},
        {"horizon_months": 0},
        {"horizon_months": 36.5},
        {"smes": 10},
        {"smes": 10**12},
        {"smes": 16_000.5},
        {"smes": "16000"},
    ],
)
def test_bad_arguments_are_told(given):
    with pytest.raises(scenarios.InputError, match="allowed: "):
        scenarios.load("baseline").resolve(**given)


# the shipped files


def test_a_broken_register_is_told(tmp_path):
    text = entries.FILE.read_text(encoding="utf-8")
    broken = {
        'evidence = "survey"': ('evidence = "a survey"', "did you mean survey?"),
        "label = ": ("lable = ", "did you mean label?"),
        "value = 1.5\n": ("value = 9\n", "must hold"),
        'unit = "ratio"\n': ("", "it is missing"),
    }
    for right, (wrong, expected) in broken.items():
        (tmp_path / "parameters.toml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
        with pytest.raises(scenarios.InputError, match=expected):
            entries.read_register(tmp_path / "parameters.toml")


def test_a_broken_programme_is_told(tmp_path):
    from scenarios.history import FILE

    text = FILE.read_text(encoding="utf-8")
    broken = {
        'country = "SE"': ('country = "DK"', "has the funder DK already"),
        'pass = "p_fund_NO"': ('pass = "p_fund_NN"', "did you mean p_fund_NO?"),
        'funders = ["DK", "SE"': ('funders = ["DK", "DK"', "named twice"),
        "DK = 18, ": ("", "not for the funders of the call"),
        'close = "2013-06"': ('close = "2013-02"', "must come in this order"),
        "[countries.AT]": ("[countries.Austria]", "countries"),
        "repeats = 2017": ("repeats = 2016.5", "a whole number"),
        "years = [2018, 2019]": ("years = [2017]", "has a call already"),
    }
    for right, (wrong, expected) in broken.items():
        (tmp_path / "programme.toml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
        assert right in text
        with pytest.raises(scenarios.InputError, match=expected.replace("?", r"\?")):
            scenarios.read_programme(tmp_path / "programme.toml")


def test_an_error_travels_between_processes():
    import pickle

    error = scenarios.InputError("one sentence")
    assert str(pickle.loads(pickle.dumps(error))) == "one sentence"


def test_a_shipped_name_is_never_a_path(tmp_path, monkeypatch):
    """A file of the same name in the working folder does not stand in for a shipped scenario."""
    (tmp_path / "baseline").write_text("nonsense")
    monkeypatch.chdir(tmp_path)
    scenario._load_shipped.cache_clear()
    assert scenarios.load("baseline").parent is None
