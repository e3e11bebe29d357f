"""Tools as OpenAPI files describe them, and what is wrong with files that cannot be used."""

import copy
import json

import pytest
import yaml

from agent.tools import BadTool, add, load, read_tools, remove
from agent.tools.spec import read_document
from tests.agent.tools.shop_api import API

GET = ("paths", "/orders/{order_id}", "get")


def changed(path, value):
    """Return the API with one place changed; None takes it out."""
    api = copy.deepcopy(API)
    node = api
    for part in path[:-1]:
        node = node[part]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return api


def test_operations_become_tools():
    tools = {tool.name: tool for tool in read_tools(API, "shop")}
    assert list(tools) == ["order_status", "cancel_order", "start_return", "add_to_cart"]
    status, cancel = tools["order_status"], tools["cancel_order"]
    assert (status.method, status.base, status.path) == (
        "GET", "https://shop.example/api", "/orders/{order_id}",
    )  # fmt: skip
    assert not status.confirms
    assert cancel.confirms
    assert cancel.confirm == "Shall I cancel order {order_id}?"
    assert status.argument("order_id").label == "order number"
    assert [a.name for a in tools["start_return"].arguments if a.required] == [
        "order_id", "reason", "email",
    ]  # fmt: skip
    assert tools["add_to_cart"].argument("item_id").item
    assert tools["order_status"].answers["200"].schema["required"] == ["status"]


def parameter(**own):
    return [{"name": "order_id", "in": "path", "required": True, **own}]


BROKEN = [
    (("servers",), [{"url": "http://shop.example"}], "expected https"),
    (("servers",), None, "cannot be called"),
    (("servers",), [{"url": "https://user:secret@shop.example"}], "no user, password"),
    (("paths",), {}, "it has no operations"),
    ((*GET, "operationId"), "no spaces please", "operationId 'no spaces please'"),
    ((*GET, "operationId"), "cancel_order", "operationId 'cancel_order' is there twice"),
    ((*GET, "summary"), None, "needs a summary"),
    ((*GET, "parameters"), [], "needs a path parameter"),
    ((*GET, "parameters"), parameter(schema={"type": "array"}), "nobody can be asked"),
    ((*GET, "parameters"), parameter(schema={"type": "strin"}), "its schema is wrong"),
    ((*GET, "parameters"), parameter(schema={"pattern": "("}), "its schema is wrong"),
    ((*GET, "parameters"), [{"name": "order_id", "in": "cookie"}], "is in 'cookie'"),
    ((*GET, "parameters"), parameter(schema={"$ref": "#/nowhere"}), "names nothing"),
    ((*GET, "parameters"), parameter(schema={"$ref": "other.yaml#/x"}), "is elsewhere"),
    ((*GET, "x-attune-examples"), [5], "expected a text or a list of texts"),
    ((*GET[:2], "delete", "x-attune-confirm"), False, "is always confirmed"),
    (
        ("components", "schemas", "Order"),
        {"$ref": "#/components/schemas/Order"},
        "refers to itself",
    ),
    ((*GET, "responses"), 5, "not as OpenAPI has it"),
]


@pytest.mark.parametrize(("path", "value", "said"), BROKEN)
def test_broken_file_names_what_is_wrong(path, value, said):
    with pytest.raises(BadTool, match="shop") as error:
        read_tools(changed(path, value), "shop")
    assert said in str(error.value)


def test_older_spelling_is_understood():
    amount = {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "nullable": True}
    number = {"name": "n", "in": "query", "schema": amount}
    own = API["paths"]["/orders/{order_id}"]["get"]["parameters"]
    api = changed((*GET, "parameters"), [*own, number])
    tool = read_tools({**api, "openapi": "3.0.3"}, "shop")[0]
    schema = tool.argument("n").schema
    assert (schema["type"], schema["exclusiveMinimum"]) == (["integer", "null"], 0)
    assert tool.argument("n").type == "integer"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "neither JSON nor YAML"),
        ("a.yaml", "a: [", "neither JSON nor YAML"),
        ("a.yaml", "swagger: '2.0'", "expected an OpenAPI 3 file"),
        ("a.json", "[]", "expected an OpenAPI 3 file"),
        ("a.json", " " * 1_000_001, "at most 1,000,000"),
        (None, "", "cannot be read"),
    ],
)
def test_unreadable_file_is_refused(tmp_path, name, text, said):
    if name:
        (tmp_path / name).write_text(text)
    with pytest.raises(BadTool, match=said):
        read_document(tmp_path / (name or "missing.json"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "shop api.yaml"
    path.write_text(yaml.safe_dump(API), encoding="utf-8")
    return path


def test_added_tools_are_loaded_and_removed(tmp_path, file):
    project = tmp_path / "project"
    project.mkdir()
    assert load(project) == ()
    added = add(file, "http://localhost:9000", project)
    assert {tool.base for tool in added} == {"http://localhost:9000"}
    assert load(project) == added
    assert add(file, None, project)[0].base == "https://shop.example/api"
    with pytest.raises(BadTool, match="there are: shop-api"):
        remove("shop", project)
    assert remove("shop-api", project).name == "shop-api.json"
    assert load(project) == ()


def test_one_name_belongs_to_one_file(tmp_path, file):
    project = tmp_path / "project"
    project.mkdir()
    add(file, None, project)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(API))
    with pytest.raises(BadTool, match="'order_status' is in 'shop-api' already"):
        add(other, None, project)
    (project / "tools/other.json").write_text(json.dumps(API))
    with pytest.raises(BadTool, match="is in 'other' and in 'shop-api'"):
        load(project)
