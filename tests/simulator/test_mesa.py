"""The model under Mesa's face: the same run, agents that are views, and Mesa's own tools on it."""

import dataclasses
import gc
import hashlib
import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import mesa
import numpy as np
import pytest

import scenarios
from experiments.mesa_model import Innovex, with_overrides
from scenarios import InputError
from simulator import schedule
from simulator.agents import ClusterAgent, FunderAgent, RowAgent, SMEAgent
from simulator.ensemble import measure, simulate
from simulator.model import InnovexModel, whole_seed, with_room
from simulator.observe import MONTHLY, monthly_from
from simulator.outcomes.events import OutcomeEvent
from simulator.state import EVENTS, ROWS, Capacity, new_state, tabulate

ROOT = Path(__file__).parents[2]

SHORT = {"smes": 3000, "last_call": 2014, "horizon_months": 24}  # 48 months
TIGHT = Capacity(projects=60, participations=300, ties=60, events=1800, paths=250)


@pytest.fixture(scope="module")
def inputs():
    """What a short run of a small world needs."""
    return scenarios.load("baseline").resolve(**SHORT)


def tables(state):
    """Columns by table and field, rows in use only; the table of slots left out, since it depends on room."""
    found = {}
    for name in state._fields:
        rows = state.rows(name)
        if name != "slots":
            fields = rows.dtype.names or ("",)
            found |= {(name, field): np.asarray(rows[field] if field else rows) for field in fields}
    return found


def digest(state):
    """A short name for everything that a run remembers."""
    columns = tables(state).values()
    return hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns)).hexdigest()


def differing(one, other):
    """Names of the columns in which two states differ in any bit."""
    pairs = zip(tables(one).items(), tables(other).values(), strict=True)
    return [key for (key, left), right in pairs if left.tobytes() != right.tobytes()]


def scheduled(inputs, seed, months=None, capacity=None):
    """The state after a run without Mesa."""
    kernels = tabulate(inputs.parameters, inputs.rules, inputs.world)
    state = new_state(inputs.world, inputs.rules, inputs.months, capacity)
    schedule.run(0, months or inputs.months, seed, *kernels, state)
    assert not state.used.too_small
    return state


def finished(model):
    """The model after its run."""
    model.run_model()
    return model


# the run


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_a_run_by_steps_is_the_run_of_the_schedule_in_every_column(inputs, seed):
    model = finished(InnovexModel(inputs, rng=seed))
    state = scheduled(inputs, seed)
    assert state.used.ties > 50 and state.used.log > 1000  # not an empty world
    assert differing(model.state, state) == []
    assert np.array_equal(model.state.slots, state.slots)


def test_every_month_on_the_way_is_the_same_too(inputs):
    model = InnovexModel(inputs, rng=3)
    assert differing(model.state, _founded(inputs, 3)) == []
    for month in (1, 6, 22, 30):
        while model.month < month:
            model.step()
        assert differing(model.state, scheduled(inputs, 3, month)) == [], month


def _founded(inputs, seed):
    kernels = tabulate(inputs.parameters, inputs.rules, inputs.world)
    state = new_state(inputs.world, inputs.rules, inputs.months)
    schedule.run(0, 0, seed, *kernels, state)
    return state


def test_looking_at_agents_and_reporting_changes_nothing(inputs):
    model = InnovexModel(inputs, rng=7)
    while model.running:
        model.agents.agg("unique_id", max)
        [funder.budget_eur for funder in model.funders]
        model.step()
    assert differing(model.state, scheduled(inputs, 7)) == []


def test_other_seeds_give_other_runs(inputs):
    assert differing(finished(InnovexModel(inputs, rng=1)).state, finished(InnovexModel(inputs, rng=2)).state)


def test_the_run_ends_at_its_horizon_and_steps_beyond_it_do_nothing(inputs):
    model = InnovexModel(inputs, rng=1)
    while model.running:
        assert model.month < inputs.months
        model.step()
    before, collected = digest(model.state), len(model.datacollector.model_vars["contracts"])
    model.step()
    model.step()
    assert model.month == model.months == inputs.months == collected
    assert not model.running
    assert digest(model.state) == before and len(model.datacollector.model_vars["contracts"]) == collected


def test_inputs_stay_as_they_are(inputs):
    model = InnovexModel(inputs, rng=1)
    model.funders[0].budget_eur = 5.0
    model.parameters.idea_rate = 0.0
    assert inputs.rules.terms.budget_eur[0, 0] != 5.0 and inputs.parameters.idea_rate > 0.0


def test_inputs_may_be_any_object_with_the_four_parts(inputs):
    four = {name: getattr(inputs, name) for name in ("parameters", "rules", "world", "months")}
    model = InnovexModel(SimpleNamespace(**four), rng=7)
    assert (model.funders[2].code, model.clusters[0].country) == ("2", "0")
    assert differing(finished(model).state, scheduled(inputs, 7)) == []


# tables that grow


def test_tables_grow_on_the_way_and_nothing_else_changes(inputs):
    model = finished(InnovexModel(inputs, rng=7, capacity=TIGHT))
    for name, rows in {"projects": 60, "participations": 300, "ties": 60, "log": 1800, "own": 250}.items():
        assert len(getattr(model.state, name)) > rows, name
    assert differing(model.state, scheduled(inputs, 7)) == []


def test_every_pair_is_found_again_after_growing(inputs):
    model = finished(InnovexModel(inputs, rng=7, capacity=TIGHT))
    ties = model.state.used.ties
    assert sorted(model.state.slots[model.state.slots >= 0]) == list(range(ties))
    assert len(model.state.slots) >= 2 * len(model.state.ties)


def test_each_table_grows_alone(inputs):
    state = scheduled(inputs, 7)
    growing = [name for name in ROWS if name != "calendar"]  # which is full from the first month on
    for name in growing:
        rows = len(state.rows(name))
        short = state._replace(**{name: getattr(state, name)[: rows + 3]})
        grown = with_room(short)
        assert len(getattr(grown, name)) == 2 * (rows + 3), name
        assert differing(grown, state) == []
        assert all(getattr(grown, other) is getattr(state, other) for other in growing if other != name)


def test_a_state_with_room_is_left_alone(inputs):
    state = _founded(inputs, 1)
    assert with_room(state) is state


def test_a_table_that_cannot_hold_a_month_says_what_to_do(inputs):
    model = InnovexModel(inputs, rng=7, capacity=Capacity(2, 2, 2, 2, 2))
    with pytest.raises(RuntimeError, match="larger capacity"):
        model.run_model()
    assert not model.running


# seeds


def test_seeds_may_be_any_whole_number_under_either_name(inputs):
    named = [{"rng": np.int64(7)}, {"seed": 7}, {"rng": np.uint8(7)}]
    models = [InnovexModel(inputs, **seed) for seed in named]
    assert [model.seed for model in models] == [7, 7, 7]
    assert len({digest(finished(model).state) for model in models}) == 1
    assert len({model.random.random() for model in models}) == 1


def test_without_a_seed_a_run_has_one_that_repeats_it(inputs):
    one, other = InnovexModel(inputs), InnovexModel(inputs)
    assert one.seed != other.seed
    assert differing(finished(one).state, scheduled(inputs, one.seed)) == []
    assert whole_seed(np.random.default_rng(3)) == whole_seed(np.random.default_rng(3))


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_that_do_not_fit_are_refused(inputs, seed):
    with pytest.raises(ValueError, match=r"the seed .* does not fit"):
        InnovexModel(inputs, rng=seed)


def test_two_seeds_are_refused(inputs):
    with pytest.raises(ValueError, match="both rng and seed"):
        InnovexModel(inputs, rng=1, seed=1)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_in_a_fresh_process():
    code = (
        "import tests.simulator.test_mesa as t; "
        "print(t.digest(t.finished(t.Innovex('projects_24', rng=11, **t.SHORT)).state))"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert fresh.stdout.strip() == digest(finished(Innovex("projects_24", rng=11, **SHORT)).state)


# agents


def test_a_run_that_asks_for_no_agents_makes_none(inputs, monkeypatch):
    made = []
    monkeypatch.setattr(mesa.Agent, "__init__", lambda self, *_: made.append(self))
    kept_by_mesa = len(getattr(mesa.Agent, "_ids", ()))
    model = finished(InnovexModel(inputs, rng=1))
    assert model.datacollector.get_model_vars_dataframe()["contracts"].iloc[-1] == model.contracts
    assert made == [] and len(getattr(mesa.Agent, "_ids", ())) == kept_by_mesa


@pytest.mark.slow
def test_a_model_with_agents_is_freed(inputs):
    class Visitor(mesa.Agent):
        """An agent that is no row."""

    kept_by_mesa = len(getattr(mesa.Agent, "_ids", ()))
    model = InnovexModel(inputs, rng=1)
    model.datacollector = mesa.DataCollector(agent_reporters={"id": "unique_id"})
    Visitor(model)
    model.agents.shuffle_do("step")
    model.step()
    gone = weakref.ref(model), weakref.ref(model.smes[0])
    assert len(model.agents) > 3000
    del model
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
    assert len(getattr(mesa.Agent, "_ids", ())) == kept_by_mesa


def test_agents_are_as_many_as_rows_and_have_lasting_ids(inputs):
    class Visitor(mesa.Agent):
        """An agent that is no row."""

    model, other = InnovexModel(inputs, rng=1), InnovexModel(inputs, rng=2)
    visitors = [Visitor(model), Visitor(model)]
    members = inputs.world.cluster_members
    rows = len(inputs.funder_codes), len(members), int(members.sum())
    assert tuple(len(model.agents_by_type[kind]) for kind in (FunderAgent, ClusterAgent, SMEAgent)) == rows
    assert set(model.agent_types) == {Visitor, FunderAgent, ClusterAgent, SMEAgent}
    assert len(model.agents) == sum(rows) + 2
    assert sorted(agent.unique_id for agent in model.agents) == list(range(1, sum(rows) + 3))
    assert [visitor.unique_id for visitor in visitors] == [sum(rows) + 1, sum(rows) + 2]
    assert [agent.unique_id for agent in other.smes] == [agent.unique_id for agent in model.smes]


def test_agents_show_what_the_tables_hold(inputs):
    model = finished(InnovexModel(inputs, rng=7))
    state = model.state
    assert [funder.belief for funder in model.funders] == state.funders.belief.tolist()
    assert [cluster.excellence for cluster in model.clusters] == state.clusters.excellence.tolist()
    assert [cluster.busy for cluster in model.clusters] == state.clusters.busy.tolist()
    assert [sme.readiness for sme in model.smes] == state.smes.readiness.tolist()
    assert [sme.cluster.row for sme in model.smes] == state.smes.cluster.tolist()
    assert sum(funder.spent_eur for funder in model.funders) == pytest.approx(model.spent_eur)
    assert sum(funder.granted_eur for funder in model.funders) == pytest.approx(model.granted_eur)
    assert model.funders[1].ledger.applications.tolist() == state.ledger.applications[:, 1].tolist()
    assert type(model.clusters[0].capacity) is int and type(model.smes[0].readiness) is float


def test_agents_have_names_for_where_they_belong(inputs):
    model = finished(InnovexModel(inputs, rng=7))
    funder = model.funders[inputs.funder_codes.index("FI")]
    assert (funder.code, funder.country) == ("FI", "FI")
    cluster = model.clusters[-1]
    assert cluster.country == inputs.country_codes[inputs.world.cluster_country[-1]]
    assert cluster.sector in inputs.sector_names
    assert len(cluster.smes) == cluster.members and {sme.cluster for sme in cluster.smes} == {cluster}
    assert cluster.smes[-1] is model.smes[-1] and model.smes[-1].country == cluster.country
    assert {sme.size_class for sme in model.smes} == {"micro", "small", "medium"}
    assert {each.attended_call for each in model.clusters} <= {None, 2013, 2014}
    assert any(each.attended_call == 2014 for each in model.clusters)


def test_outcomes_by_sme_follow_the_ties(inputs):
    model = InnovexModel(inputs, rng=7)
    while model.running:
        model.step()
        assert model.agents_by_type[SMEAgent].agg("contracts", sum) == model.contracts
    log = model.state.log[: model.state.used.log]
    contracts = log[log.kind == OutcomeEvent.CONTRACT]
    assert len(contracts) > 5
    sides = [*contracts.who, *contracts.whom]
    assert all(model.smes[row].contracts == sides.count(row) for row in sides)
    assert model.agents_by_type[SMEAgent].agg("partnerships", sum) == model.partnerships


@pytest.mark.slow
def test_sets_of_agents_work_as_in_mesa(inputs):
    model = InnovexModel(inputs, rng=1)
    clusters = model.agents_by_type[ClusterAgent]
    danish = clusters.select(lambda cluster: cluster.country == "DK")
    assert 0 < len(danish) < len(clusters)
    assert clusters.agg("members", sum) == len(model.smes)
    danish.set("excellence", 1.0)
    assert set(danish.get("excellence")) == {1.0} and clusters.agg("excellence", min) < 1.0
    danish.do(lambda cluster: setattr(cluster, "focus", 0.5))
    assert model.state.clusters.focus[danish[0].row] == 0.5
    order = []
    danish.shuffle_do(lambda cluster: order.append(cluster.row))
    assert sorted(order) == sorted(danish.get("row")) and order != sorted(order)
    by_size = model.agents.select(agent_type=SMEAgent).groupby("size_class").groups
    assert set(by_size) == {"micro", "small", "medium"}
    model.remove_all_agents()
    assert len(model.agents) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (SMEAgent, "readiness", 0.9),
        (SMEAgent, "spare_time", 0.0),
        (ClusterAgent, "excellence", 0.0),
        (ClusterAgent, "focus", 1.0),
        (ClusterAgent, "capacity", 0),
        (ClusterAgent, "experience", 30),
        (FunderAgent, "budget_eur", 0),
        (FunderAgent, "grant_eur", 20_000.0),
        (FunderAgent, "openness", np.float64(0.2)),
        (FunderAgent, "pass_share", 0.2),
        (FunderAgent, "project_months", 24),
        (FunderAgent, "belief", 0.0),
        (FunderAgent, "carried", 1e6),
        (FunderAgent, "debt", 1e6),
    ],
)
def test_what_a_step_sets_changes_the_run_from_then_on(inputs, kind, name, value):
    class Changed(InnovexModel):
        def step(self):
            if self.month == 18:
                self.agents_by_type[kind].set(name, value)
                assert {getattr(agent, name) for agent in self.agents_by_type[kind]} == {value}
            super().step()

    model = Changed(inputs, rng=7)
    while model.month < 18:
        model.step()
    assert differing(model.state, scheduled(inputs, 7, 18)) == []
    model.run_model()
    plain = scheduled(inputs, 7)
    assert digest(model.state) != digest(plain)
    assert ("log", "kind") in differing(model.state, plain)


@pytest.mark.slow
def test_agents_may_have_a_step_of_their_own(inputs):
    class Trainee(SMEAgent):
        """An SME that learns by itself."""

        def step(self):
            self.readiness += self.random.random() * 0.01 * (1.0 - self.readiness)

    class Trained(InnovexModel):
        agent_classes = FunderAgent, ClusterAgent, Trainee

        def step(self):
            if self.month < 6:
                self.agents.shuffle_do("step")
            super().step()

    one, other = finished(Trained(inputs, rng=7)), finished(Trained(inputs, rng=7))
    assert type(one.smes[0]) is Trainee
    assert one.state.smes.readiness.mean() > scheduled(inputs, 7).smes.readiness.mean()
    assert differing(one.state, other.state) == []


def test_without_money_nobody_is_granted_anything(inputs):
    class Austere(InnovexModel):
        def step(self):
            if self.next_call is not None:
                self.agents_by_type[FunderAgent].set("budget_eur", 0)
            super().step()

    model = finished(Austere(inputs, rng=7))
    assert model.granted_eur == model.spent_eur == model.count("proposal") == 0
    assert model.count("own_knowledge") > 0


def test_a_funders_rules_are_those_of_the_call_to_come(inputs):
    model = InnovexModel(inputs, rng=1)
    row = inputs.funder_codes.index("SE") if "SE" in inputs.funder_codes else 0
    closes = inputs.rules.calls.close_month.tolist()
    for call, close in enumerate(closes):
        while model.month <= close:
            assert model.next_call == call
            assert model.funders[row].budget_eur == inputs.rules.terms.budget_eur[call, row]
            model.step()
    assert model.next_call is None and model.funders[row].budget_eur == 0.0
    with pytest.raises(ValueError, match=r"FunderAgent.budget_eur cannot be set: no call is left"):
        model.funders[row].budget_eur = 1.0


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), "0.5", True, None])
def test_values_out_of_range_are_refused_and_change_nothing(inputs, value):
    sme = InnovexModel(inputs, rng=1).smes[0]
    before = sme.readiness
    with pytest.raises(ValueError, match=r"readiness = .* does not fit; allowed: a number from 0 to 1"):
        sme.readiness = value
    assert sme.readiness == before


def test_whole_numbers_stay_whole(inputs):
    cluster = InnovexModel(inputs, rng=1).clusters[0]
    cluster.capacity = 3.0
    assert cluster.capacity == 3 and type(cluster.capacity) is int
    with pytest.raises(ValueError, match=r"allowed: a whole number from 0$"):
        cluster.capacity = 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [(SMEAgent, "projects"), (SMEAgent, "contracts"), (SMEAgent, "cluster"), (ClusterAgent, "busy"),
     (ClusterAgent, "country"), (FunderAgent, "ledger")],
)  # fmt: skip
def test_what_follows_from_the_processes_can_only_be_read(inputs, kind, name):
    model = InnovexModel(inputs, rng=1)
    with pytest.raises(AttributeError):
        setattr(model.agents_by_type[kind][0], name, 1)
    with pytest.raises(ValueError, match="read-only"):
        model.funders[0].ledger.spent[0] = 1.0
    model.state.ledger.spent[0] = 0.0  # the table itself stays open


def test_every_column_of_an_agent_is_there(inputs):
    model = InnovexModel(inputs, rng=1)
    for agent in (model.funders[0], model.clusters[0], model.smes[0]):
        for name in dir(type(agent)):
            if not name.startswith("_"):
                getattr(agent, name)


# measures and Mesa's collector


def test_measures_are_what_the_log_tells(inputs):
    model = InnovexModel(inputs, rng=7)
    while model.running:
        model.step()
        assert model.contracts == 2 * model.count("contract")  # one for each side
        assert model.rni_collaborations == 2 * model.count("rni_collaboration")
        assert model.partnerships == 2 * model.count("partnership")
        assert model.knowledge == model.count("knowledge")
    table = model.datacollector.get_model_vars_dataframe()
    assert list(table["month"]) == list(range(1, inputs.months + 1))
    by_month = [2 * model.count("contract", month) for month in range(inputs.months)]
    assert table["contracts"].diff().fillna(table["contracts"]).tolist() == by_month
    assert table["contracts"].iloc[-1] > 5 and table["projects_running"].max() > 5
    assert 0 < model.spent_eur < model.granted_eur
    assert model.spent_eur == pytest.approx(model.state.spent_by_month.sum())
    with pytest.raises(ValueError, match=f"allowed: .*{EVENTS[0]}"):
        model.count("contacts")


def test_months_are_counted_as_in_the_results(inputs):
    """Where every month of every call counts, the collector and the results tell the same story."""
    calls = inputs.rules.calls
    wider = calls._replace(counted_months=np.full_like(calls.counted_months, inputs.months))
    rules = inputs.rules._replace(calls=wider)
    wide = dataclasses.replace(inputs, rules=rules)
    table = finished(InnovexModel(wide, rng=7)).datacollector.get_model_vars_dataframe()
    seen = measure(wide, 7)
    results = monthly_from(seen.by_month, seen.months, 0)
    names = [each.name for each in MONTHLY]
    for name in ("knowledge", "partnerships", "rni_collaborations", "contracts", "spent_eur"):
        by_month = np.diff(table[name], prepend=0)
        assert by_month.sum() > 0
        assert np.allclose(by_month, results[:, names.index(name)], rtol=1e-9, atol=1e-6), name


@pytest.mark.slow
def test_mesas_collector_takes_models_agents_and_types(inputs):
    class Watched(InnovexModel):
        def __init__(self, *args, **named):
            super().__init__(*args, **named)
            self.datacollector = mesa.DataCollector(
                model_reporters={"contracts": "contracts", "twice": lambda model: 2 * model.contracts},
                agent_reporters={"belief": lambda agent: getattr(agent, "belief", None)},
                agenttype_reporters={
                    FunderAgent: {"spent_eur": "spent_eur", "code": "code"},
                    ClusterAgent: {"busy": "busy"},
                },
            )

    model = finished(Watched(inputs, rng=7))
    table = model.datacollector.get_model_vars_dataframe()
    assert (table["twice"] == 2 * table["contracts"]).all() and len(table) == inputs.months
    by_funder = model.datacollector.get_agenttype_vars_dataframe(FunderAgent)
    assert len(by_funder) == inputs.months * len(inputs.funder_codes)
    last = by_funder.xs(by_funder.index.get_level_values("Step").max(), level="Step")
    assert last["spent_eur"].sum() == pytest.approx(model.spent_eur)
    assert last["code"].tolist() == list(inputs.funder_codes)
    by_cluster = model.datacollector.get_agenttype_vars_dataframe(ClusterAgent)
    assert by_cluster["busy"].max() > 0
    beliefs = model.datacollector.get_agent_vars_dataframe()["belief"]
    assert beliefs.notna().sum() == inputs.months * len(inputs.funder_codes)


def test_nothing_is_collected_without_a_collector(inputs):
    model = InnovexModel(inputs, rng=7)
    model.datacollector = None
    assert finished(model).month == inputs.months


# by name, and Mesa's batch run


def test_a_model_by_name_is_the_scenario(inputs):
    model = finished(Innovex(rng=7, **SHORT))
    assert model.scenario_name == "baseline"
    assert differing(model.state, scheduled(inputs, 7)) == []


def test_a_model_by_name_may_have_other_clusters():
    clusters = {**SHORT, "clusters": 150}
    model, inputs = Innovex(rng=7, **clusters), scenarios.load("baseline").resolve(**clusters)
    assert len(model.clusters) == 150
    assert differing(finished(model).state, simulate(inputs, 7)) == []


def test_a_world_that_memory_cannot_hold_gets_a_sentence():
    with pytest.raises(InputError, match=r"a world of .* SMEs .* allowed: --smes [0-9]+ or fewer"):
        Innovex("baseline", smes=10**9)


def test_overrides_go_by_the_names_of_the_register():
    model = Innovex("projects_24", rng=1, idea_rate=np.float64(0.6), project_months=np.int64(18), smes=3000)
    assert model.parameters.idea_rate == 0.6
    calls = model.rules.calls["year"]
    plain = Innovex("projects_24", rng=1, smes=3000)
    assert (model.rules.terms["project_months"][calls >= 2016] == 18).all()
    assert (plain.rules.terms["project_months"][calls >= 2016] == 24).all()
    before = calls < 2016
    assert (model.rules.terms[before] == plain.rules.terms[before]).all()
    early = Innovex("projects_24", rng=1, project_months=18, from_call=2014, smes=3000)
    assert (early.rules.terms["project_months"][calls >= 2014] == 18).all()


def test_overrides_win_over_the_scenario():
    held = with_overrides(scenarios.load("baseline"), {"idea_rate": 0.5}, 2016)
    assert with_overrides(held, {"idea_rate": 0.9}, 2016).resolve().parameters.idea_rate == 0.9
    assert held.resolve().parameters.idea_rate == 0.5


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"idea_rat": 0.5}, "idea_rat: this name is not known here; .* did you mean idea_rate?"),
        ({"idea_rate": 7.0}, "idea_rate: 7.0 is out of range"),
        ({"funding_rule": "lottery"}, "funding_rule: text 'lottery' is not a choice"),
        ({"project_months": 18, "from_call": 2012}, "2012"),
    ],
)
def test_overrides_that_do_not_fit_are_told_in_a_sentence(overrides, said):
    with pytest.raises(InputError, match=said):
        Innovex(**overrides)


@pytest.mark.slow
def test_mesas_batch_run_takes_scenarios_and_parameters():
    asked = {"scenario": ["baseline", "no_programme"], "idea_rate": [0.4, 0.9], "rng": [1, 2], **SHORT}
    asked["last_call"] = 2016  # the first call that the programme's end changes
    rows = mesa.batch_run(Innovex, asked, number_processes=1, display_progress=False)
    assert len(rows) == 8
    for row in rows:
        names = ("scenario", "idea_rate", "rng", "smes", "last_call", "horizon_months")
        model = finished(Innovex(**{name: row[name] for name in names}))
        for name in ("month", "contracts", "granted_eur"):
            assert row[name] == getattr(model, name), name
    assert len({row["granted_eur"] for row in rows}) == 8


def test_mesas_batch_run_may_stop_early_and_collect_on_the_way():
    asked = {"rng": 5, **SHORT}
    rows = mesa.batch_run(Innovex, asked, max_steps=30, data_collection_period=1, display_progress=False)
    assert len(rows) in (30, 31)  # some versions of Mesa make one step more
    assert [row["month"] for row in rows] == list(range(1, len(rows) + 1))
    model = Innovex(**asked)
    for row in rows:
        model.step()
        assert row["knowledge"] == model.knowledge


@pytest.mark.slow
def test_mesas_batch_run_works_in_two_processes():
    asked = {"scenario": ["baseline", "projects_24"], "rng": 3, **SHORT}
    alone = mesa.batch_run(Innovex, asked, number_processes=1, display_progress=False)
    together = mesa.batch_run(Innovex, asked, number_processes=2, display_progress=False)
    assert sorted(together, key=lambda row: row["RunId"]) == alone


@pytest.mark.slow
def test_only_the_face_imports_mesa():
    code = (
        "import importlib, pkgutil, sys, simulator\n"
        "for found in pkgutil.walk_packages(simulator.__path__, 'simulator.'):\n"
        "    if found.name not in ('simulator.model', 'simulator.agents'):\n"
        "        importlib.import_module(found.name)\n"
        "print('mesa' in sys.modules)"
    )
    ask = [sys.executable, "-c", code]
    loaded = subprocess.run(ask, capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.strip() == "False"


def test_views_are_rows_and_nothing_more(inputs):
    model = InnovexModel(inputs, rng=1)
    assert all(isinstance(agent, RowAgent) for agent in model.agents)
    assert set(vars(model.smes[0])) - {"pos"} == {"model", "row", "unique_id"}
