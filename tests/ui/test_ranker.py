import shutil

import pytest
from click.testing import CliRunner

from retrieval.reranking.card import CARD, TREES
from retrieval.retriever import Retriever
from tests.finetune.ranker.shop import open_shop, write_judgements
from ui.cli import main


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things") / "project"
    with open_shop(folder) as retriever:
        labels = write_judgements(folder.parent / "ratings.csv", retriever)
    return folder, labels


@pytest.fixture
def project(made, tmp_path):
    return shutil.copytree(made[0], tmp_path / "project")


def run(*words):
    return CliRunner().invoke(main, ["tune", *map(str, words)])


def test_ranker_is_kept_in_the_project_and_used(made, project):
    done = run("ranker", project, "--judgements", made[1])
    assert done.exit_code == 0, done.output
    learned, figures, change, kept = done.stdout.splitlines()
    assert learned == (
        "learned from 40 labelled lists; 0 labelled items are not among what the search finds "
        "and were left out"
    )
    assert figures.startswith("nDCG@10 on 40 lists of queries it did not see: ")
    assert figures.endswith("by the search alone")
    assert change.startswith("difference +0.")
    assert kept == f"kept as the reranker in {project}"
    with Retriever.open(project, write=False) as retriever:
        assert retriever.reranker.name == "ltr"


def test_out_leaves_the_project_as_it_is(made, project, tmp_path):
    done = run("ranker", project, "--judgements", made[1], "--out", tmp_path / "kept")
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {CARD, TREES}
    assert not (project / CARD).exists()


@pytest.mark.parametrize("command", ["ranker", "cross-encoder"])
def test_one_kind_of_labels_is_needed(made, project, command):
    done = run(command, project)
    assert done.exit_code == 1
    assert "expected a file of judgements or one of feedback" in done.stderr


def test_labels_that_are_no_labels_are_told_in_a_line(project, tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    done = run("ranker", project, "--judgements", path)
    assert done.exit_code == 1
    assert "no column 'query'" in done.stderr


def test_a_ranking_that_is_no_better_stays(made, project, tmp_path):
    from tests.retrieval.reranking.goods import tiny_cross_encoder

    base = tiny_cross_encoder(tmp_path / "tiny")
    done = run("cross-encoder", project, "--judgements", made[1], "--base", base, "--epochs", 0)
    assert done.exit_code == 0, done.output
    assert "not kept: the interval is not above 0" in done.stdout
    assert not (project / CARD).exists()
