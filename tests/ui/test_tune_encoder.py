"""`attune tune encoder`, from a catalog to a switched project and back, with a tiny encoder."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from finetune.encoder import compare, prepare, tune
from retrieval import encoder as encoders
from retrieval.encoder import make_encoder
from retrieval.project import read_manifest
from retrieval.retriever import Retriever
from tests.finetune.encoder import tiny
from ui.cli import main

INSTALLED = encoders.installed
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of the exporter and the trainer
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.make_encoder_folder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def built(base, tmp_path_factory):
    place = tmp_path_factory.mktemp("built")
    catalog = tiny.write_catalog(place / "catalog.csv")
    run(["index", str(catalog), "--out", str(place / "shop"), "--encoder", str(base)])
    return place / "shop"


@pytest.fixture
def shop(built, tmp_path):
    return shutil.copytree(built, tmp_path / "shop")


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("ATTUNE_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    monkeypatch.setattr(encoders, "installed", lambda *modules: False)  # exporting takes long
    monkeypatch.setattr(prepare, "FULL_RATE", 3e-3)
    monkeypatch.setattr(prepare, "LORA_RATE", 1e-2)
    monkeypatch.setattr(prepare, "ALPHAS", (1.0,))
    monkeypatch.setattr(tune, "ALPHAS", (0.5, 1.0))
    monkeypatch.setattr(compare, "CASES", 200)
    config = prepare.TrainConfig
    monkeypatch.setattr(prepare, "TrainConfig", lambda **given: config(batch_size=8, **given))


def run(words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


def opened(folder):
    name = read_manifest(folder).encoder
    return Retriever.open(folder, make_encoder(name, folder, folder), write=False)


def files(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}


def vectors_of(folder):
    with opened(folder) as retriever:
        return retriever.index.vectors(retriever.index.ids())


@pytest.fixture
def exported(monkeypatch):
    """Encoders are served through ONNX, as they are outside of these tests."""
    monkeypatch.setattr(encoders, "installed", INSTALLED)


@pytest.mark.slow
def test_tuned_encoder_is_served_through_onnx(shop, exported):
    run(["tune", "encoder", shop, "--steps", 40])
    name = read_manifest(shop).encoder
    encoder = make_encoder(name, None, shop)
    assert type(encoder).__name__ == "OnnxEncoder"
    torch = encoders.SentenceTransformerEncoder(name, encoders.tuned_folder(name, shop))
    texts = ["red boot", "a lamp made of walnut " * 20, ""]
    np.testing.assert_allclose(
        encoder.encode_queries(texts), torch.encode_queries(texts), atol=1e-4
    )
    with opened(shop) as retriever:
        assert retriever.search("red leather boot")


@pytest.mark.parametrize("how", ["--full", "--lora"])
def test_better_encoder_takes_over_and_can_be_taken_back(shop, base, how):
    before = vectors_of(shop)
    done = run(["tune", "encoder", shop, how, "--steps", 40])
    assert re.search(r"pairs +320, ", done.stdout)
    assert re.search(r"time +about \d", done.stdout)
    name = read_manifest(shop).encoder
    assert re.fullmatch("tuned:[0-9a-f]{12}", name)
    assert f"has the encoder {name} now (300 items)" in done.stdout
    assert re.search(r"made from items +ndcg@10 .* \(\+0\.\d+ to \+0\.\d+\)", done.stdout)
    after = vectors_of(shop)
    assert np.abs(after - before).max() > 0.01
    folder = shop / name.replace("tuned:", "encoder-")
    card = json.loads((folder / "encoder_card.json").read_text())
    assert (card["name"], card["base"]) == (name, str(base))
    assert card["config"]["method"] == how.strip("-")
    assert card["data"]["pairs"] == 320
    assert card["decision"]["accepted"]
    assert "base_model" in (folder / "README.md").read_text()
    assert not (shop / "tuning").exists()
    assert "again, instead of" in run(["tune", "encoder", shop, "--rollback"]).stdout
    np.testing.assert_array_equal(vectors_of(shop), before)
    run(["tune", "encoder", shop, "--rollback"])
    np.testing.assert_array_equal(vectors_of(shop), after)
    catalog = tiny.write_catalog(shop / "more.csv", 310)
    assert "10 new" in run(["index", catalog, "--out", shop]).stdout
    assert read_manifest(shop).encoder == name


def test_encoder_that_is_no_better_changes_nothing(shop, monkeypatch):
    monkeypatch.setattr(prepare, "FULL_RATE", 0.0)
    before = files(shop)
    done = run(["tune", "encoder", shop, "--steps", 3])
    assert done.stdout.splitlines()[-1] == f"{shop} keeps its encoder"
    assert "difference +0.000 (+0.000 to +0.000), not above 0" in done.stdout
    assert files(shop) == before
    assert [path.name for path in shop.iterdir() if path.is_dir()] == ["bm25"]


def test_out_leaves_the_project_as_it_is(shop, tmp_path):
    before = files(shop)
    done = run(["tune", "encoder", shop, "--steps", 40, "--out", tmp_path / "there"])
    assert f"{shop} keeps the one it has" in done.stdout
    [kept] = (tmp_path / "there").iterdir()
    assert (kept / "encoder_card.json").is_file()
    assert files(shop) == before


def test_dry_run_only_tells(shop):
    before = files(shop)
    done = run(["tune", "encoder", shop, "--dry-run"])
    assert re.search(r"steps +\d+ of 8 pairs \(full, (bfloat16|float32)\)", done.stdout)
    assert re.search(r"items +\d+ to train on, \d+ held out", done.stdout)
    assert files(shop) == before
    assert not (shop / "tuning").exists()


def test_cut_off_run_goes_on_from_its_checkpoint(shop, monkeypatch):
    from transformers import TrainerCallback

    import finetune.encoder.train as training

    steps = []

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, **more):
            steps.append(state.global_step)
            if len(steps) == 25:
                raise KeyboardInterrupt

    real = training._trainer

    def trainer(model, rows, config, out, progress):
        made = real(model, rows, config, out, progress)
        if config.steps == 40:
            made.add_callback(Watch())
        return made

    monkeypatch.setattr(training, "_trainer", trainer)
    options = prepare.Options(steps=40)

    def prepared():
        encoder = make_encoder(read_manifest(shop).encoder, shop, shop)
        return tune.prepare(shop, encoder, options)

    first = prepared()
    with pytest.raises(KeyboardInterrupt):
        tune.fit(first)
    second = prepared()
    assert (second.resumed, second.cost, second.config) == (True, None, first.config)
    outcome = tune.fit(second)
    assert steps[25:] == list(range(25, 41))
    assert outcome.switch is not None
    assert not replace(second, resumed=False).work.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no project at 'nowhere'"),
        (["SHOP", "--minutes", "0.0001"], "minutes are too few: 20 steps take about"),
        (["SHOP", "--judgements", "none.csv"], "none.csv can't be read"),
        (["SHOP", "--feedback", "none.jsonl"], "none.jsonl can't be read"),
        (["SHOP", "--rollback"], "has had one encoder only"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(shop, words, message):
    before = files(shop)
    done = run(["tune", "encoder", *(str(shop) if w == "SHOP" else w for w in words)], code=1)
    assert message in done.stderr.splitlines()[-1]
    assert files(shop) == before


def test_few_items_are_refused_with_how_many_are_needed(base, tmp_path):
    catalog = tiny.write_catalog(tmp_path / "few.csv", 40)
    run(["index", catalog, "--out", tmp_path / "few", "--encoder", base])
    done = run(["tune", "encoder", tmp_path / "few"], code=1)
    assert "has 40 items; an encoder is tuned on 200 or more" in done.stderr


def test_encoder_without_weights_is_refused(tmp_path):
    catalog = tiny.write_catalog(tmp_path / "catalog.csv")
    run(["index", catalog, "--out", tmp_path / "shop", "--encoder", "hashing-64"])
    done = run(["tune", "encoder", tmp_path / "shop"], code=1)
    assert "'hashing-64' cannot be tuned" in done.stderr


def test_project_that_is_written_is_refused_before_training(shop):
    with Retriever.open(shop, make_encoder(read_manifest(shop).encoder), write=True):
        assert "is being written" in run(["tune", "encoder", shop], code=1).stderr


def test_lost_encoder_says_how_to_go_back(shop):
    run(["tune", "encoder", shop, "--steps", 40])
    [folder] = shop.glob("encoder-*")
    shutil.rmtree(folder)
    assert "--rollback" in run(["ask", shop, "red boot"], code=1).stderr
    run(["tune", "encoder", shop, "--rollback"])
    run(["ask", shop, "red boot"])
