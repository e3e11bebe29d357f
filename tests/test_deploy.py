"""The files under docs/deploy: every metric, label, setting, file and service they name exists."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from agent.server.metrics import Metrics, Snapshot
from agent.store_backlog import Backlog
from ui.settings import Settings

DEPLOY = Path(__file__).parent.parent / "docs" / "deploy"
GRAFANA = {"$__rate_interval": "5m", "$tenant": ".*"}
"""Grafana's own variables, as it would replace them."""
OTHERS = {"up": {"job", "instance"}}
"""Metrics that are Prometheus' own."""


def _yaml(name):
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def known():
    """Every series there is, with its labels."""
    metrics = Metrics()
    own = {
        name: {*metric._labelnames}
        for metric in vars(metrics.instruments).values() if isinstance(metric, MetricWrapperBase)
        for name in _series(metric)
    }  # fmt: skip
    text = metrics.render([Snapshot("default", 1, Backlog({("a", "dead"): 1}))]).decode()
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    standing = {name: {"tenant", "kind", "status", "adapter"} for name in names}
    return {**standing, "attune_build_info": {"version"}, **own, **OTHERS}


def _series(metric):
    kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    return [metric._name + suffix for suffix in kinds[metric._type]]


def _queries():
    dashboard = json.loads((DEPLOY / "grafana/dashboards/attune.json").read_text("utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for group in _yaml("alerts.yml")["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def _selectors(node):
    """Yield every selector of a query, with the labels it is grouped by outside."""
    found = []

    def walk(node, grouped):
        if isinstance(node, promql_parser.AggregateExpr):
            by = [*node.modifier.labels] if node.modifier is not None else []
            walk(node.expr, [*grouped, *by])
            return
        if isinstance(node, promql_parser.VectorSelector):
            found.append((node, grouped))
            return
        for name in ("expr", "lhs", "rhs", "args", "vector_selector", "vs"):
            inner = getattr(node, name, None)
            for one in inner if isinstance(inner, list) else [inner]:
                if one is not None and not isinstance(one, str):
                    walk(one, grouped)

    walk(node, [])
    return found


def test_selectors_are_found_wherever_they_are():
    query = "sum by (a) (rate(x_total{b='1'}[5m])) / sum(max(y)) > 0.5 or absent(z)"
    found = {one.name: grouped for one, grouped in _selectors(promql_parser.parse(query))}
    assert found == {"x_total": ["a"], "y": [], "z": []}


@pytest.mark.parametrize(("title", "query"), list(_queries()))
def test_queries_name_metrics_and_labels_there_are(title, query, known):
    for variable, value in GRAFANA.items():
        query = query.replace(variable, value)
    selectors = _selectors(promql_parser.parse(query))
    assert selectors, title
    for selector, grouped in selectors:
        assert selector.name in known, f"{title}: {selector.name}"
        labels = {matcher.name for matcher in selector.matchers.matchers} | set(grouped)
        allowed = known[selector.name] | {"le", "job", "instance", "model"}
        assert labels - {"__name__"} <= allowed, f"{title}: {labels} of {selector.name}"


def test_every_count_is_on_the_dashboard(known):
    shown = " ".join(query for _, query in _queries())
    of_ours = {name for name in known if name.startswith("attune_")}
    roots = {re.sub(r"_(bucket|sum|count)$", "", name) for name in of_ours}
    roots = {root for root in roots if f"{root}_total" not in known}
    assert {root for root in roots if root not in shown} == set()


def test_panels_do_not_overlap():
    dashboard = json.loads((DEPLOY / "grafana/dashboards/attune.json").read_text("utf-8"))
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}  # fmt: skip
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_alerts_say_what_to_do():
    for group in _yaml("alerts.yml")["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
            assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


def test_compose_names_settings_there_are():
    fields = {f"ATTUNE_{name.upper()}" for name in Settings.model_fields}
    environment = _yaml("compose.yaml")["services"]["api"]["environment"]
    assert {name for name in environment if name.startswith("ATTUNE_")} <= fields
    image = re.findall(r"(ATTUNE_[A-Z_]+)=", (DEPLOY / "Containerfile").read_text("utf-8"))
    assert image
    assert set(image) <= fields


def test_compose_asks_for_what_the_example_has():
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    optional = set(re.findall(r"\$\{([A-Z_]+):-", text))
    named = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "example.env").read_text("utf-8"), re.M))
    assert required <= named
    assert named <= required | optional


def test_compose_hangs_together():
    compose = _yaml("compose.yaml")
    services = compose["services"]
    for name, service in services.items():
        assert "latest" not in service["image"], name
        assert set(service.get("depends_on", [])) <= set(services), name
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), volume
            elif not source.startswith("${"):
                assert source in compose["volumes"], volume
    assert [name for name, one in services.items() if "0.0.0.0" in str(one.get("ports"))] == []


def test_prometheus_finds_its_targets():
    config = _yaml("prometheus.yml")
    services = _yaml("compose.yaml")["services"]
    mounted = " ".join(services["prometheus"]["volumes"])
    assert all(file in mounted for file in config["rule_files"])
    for job in config["scrape_configs"]:
        for discovery in job["dns_sd_configs"]:
            assert set(discovery["names"]) <= set(services)
    [attune] = [job for job in config["scrape_configs"] if job["job_name"] == "attune"]
    assert attune["authorization"]["credentials_file"] == "/run/secrets/metrics_key"


def test_containerfile_is_clean():
    linter = shutil.which("hadolint", path=Path(sys.executable).parent)
    if linter is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([linter, DEPLOY / "Containerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_containerfile_copies_what_the_package_is_made_of():
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    project = (DEPLOY.parent.parent / "pyproject.toml").read_text("utf-8")
    packages = tomllib.loads(project)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for package in packages:
        assert f"COPY {package} /src/{package}" in text
