import pytest

from agent.access.errors import BadTenants
from agent.access.tenants import read_tenants

GOOD = """
[shop]
project = "shop"
rate_key = "120/minute"
tokens_tenant = 2_000_000
origins = ["https://www.shop.example", "http://localhost:3000"]
explainer = "model"
prompts = "words"

[books-2]
project = "/srv/books"
store = "postgresql+psycopg://db/attune"
schema = "books"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "tenants.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_tenants_are_read_in_order(file, tmp_path):
    found = read_tenants(file(GOOD))
    assert list(found.tenants) == ["shop", "books-2"]
    assert found.project("shop") == tmp_path / "shop"
    assert str(found.project("books-2")) == "/srv/books"
    assert found.overrides("shop") == {"explainer": "model", "prompts": tmp_path / "words"}
    assert found.tenants["books-2"].schema_ == "books"
    assert found.overrides("books-2") == {}


ONE = '[shop]\nproject = "shop"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no tenant"),
        ("[shop", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        ("[shop]\n", "shop.project: Field required"),
        ('shop = "x"\n', "shop: "),
        (ONE + "colour = 1\n", "shop.colour: Extra inputs"),
        ('[Shop]\nproject = "x"\n', "'Shop' is no name of a tenant"),
        ('["a_b"]\nproject = "x"\n', "'a_b' is no name"),
        (ONE + 'rate_key = "often"\n', "shop: 'often' is no rate"),
        (ONE + "tokens_key = 0\n", "shop.tokens_key"),
        (ONE + 'origins = ["shop.example"]\n', "'shop.example' is no origin"),
        (ONE + 'origins = ["https://shop.example/path"]\n', "is no origin"),
        (ONE + 'schema = "x"\n', "a schema is one of PostgreSQL's"),
        (ONE + 'store = "sqlite://"\nstore_env = "X"\n', "give one"),
        (ONE + '[other]\nproject = "./shop"\n', "have one project"),
        (ONE + 'store = "sqlite:///x"\n[b]\nproject = "b"\nstore = "sqlite:///x"\n',
         "'shop' and 'b' have one store"),
        (ONE + 'store_env = "X"\nschema = "s"\n[b]\nproject = "b"\nstore_env = "X"\nschema = "s"\n',
         "have one store"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused(file, text, said):
    with pytest.raises(BadTenants) as caught:
        read_tenants(file(text))
    assert said in str(caught.value)
    assert "tenants.toml" in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BadTenants, match=r"none\.toml: cannot be read"):
        read_tenants(tmp_path / "none.toml")


def test_one_database_takes_tenants_in_schemas(file):
    text = "".join(
        f'[{name}]\nproject = "{name}"\nstore_env = "DB"\nschema = "{name}"\n' for name in "ab"
    )
    assert len(read_tenants(file(text)).tenants) == 2
