"""Encoders: unit vectors, one text at a time or many, in torch or in ONNX."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import (
    HashingEncoder,
    SentenceTransformerEncoder,
    make_encoder,
    unit,
)
from retrieval.errors import RetrievalError

ROOT = Path(__file__).parents[2]
TEXTS = [
    "red dress", "", "a pair of blue running shoes for men " * 30, "靴", "😀 \x00\x07",
    "half \ud83d", "Red Dress", "shirt",
]  # fmt: skip


def check_encoder(encoder):
    vectors = encoder.encode_items(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for place in (0, 2, 7):
        alone = encoder.encode_items([TEXTS[place]])[0]
        np.testing.assert_allclose(alone, vectors[place], atol=1e-4)
    assert encoder.encode_queries([]).shape == (0, encoder.dimension)
    assert encoder.encode_items([]).shape == (0, encoder.dimension)


def test_hashing_encoder_keeps_the_protocol():
    check_encoder(HashingEncoder())


def test_hashing_is_the_same_everywhere():
    vector = HashingEncoder(8).encode_queries(["blue shoes"])[0]
    np.testing.assert_allclose(vector, HashingEncoder(8).encode_items(["Blue SHOE"])[0], atol=1e-6)
    code = (
        "from retrieval.encoder import HashingEncoder;"
        "print(*HashingEncoder(8).encode_queries(['blue shoes'])[0])"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    np.testing.assert_allclose([float(x) for x in other.stdout.split()], vector, atol=1e-6)


def test_hashing_finds_shared_words_closer():
    encoder = HashingEncoder()
    query, near, far = encoder.encode_items(["blue shoes", "blue shoes for men", "red dress"])
    assert query @ near > query @ far + 0.3


def test_hashing_needs_a_dimension():
    with pytest.raises(ValueError, match="dimension of 1 or more, got 0"):
        HashingEncoder(0)


def test_unit_gives_zeros_a_direction():
    assert unit(np.array([[0, 0], [3, 4]])).tolist() == [[1, 0], pytest.approx([0.6, 0.8])]


@pytest.mark.parametrize(("name", "dimension"), [("hashing-64", 64), ("hashing-7", 7)])
def test_hashing_encoder_by_name(name, dimension):
    encoder = make_encoder(name)
    assert (encoder.name, encoder.dimension) == (name, dimension)


def test_unknown_model_says_what_to_do(tmp_path):
    with pytest.raises(RetrievalError, match="all-MiniLM-L6-v2"):
        SentenceTransformerEncoder(str(tmp_path))


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, retrieval.encoder, retrieval.onnx_encoder, retrieval.retriever;"
        "print([m for m in ('torch', 'transformers', 'onnxruntime') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "[]", result.stderr


needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="needs the extra [onnx]"
)

USE_ONNX = """
import sys
from pathlib import Path
from retrieval.encoder import make_encoder
encoder = make_encoder(cache=Path(sys.argv[1]))
vector = encoder.encode_queries(["red dress"])[0]
print(type(encoder).__name__, "torch" in sys.modules, *vector)
"""


@pytest.mark.slow
@needs_onnx
@pytest.mark.filterwarnings("ignore")
def test_onnx_equals_torch_without_it(tmp_path):
    exported, torch = make_encoder(cache=tmp_path), make_encoder()
    check_encoder(exported)
    check_encoder(torch)
    assert (exported.name, exported.dimension) == (torch.name, torch.dimension)
    texts = [*TEXTS, *(f"{'word ' * (n % 50)} {n}" for n in range(150))]
    np.testing.assert_allclose(
        exported.encode_items(texts), torch.encode_items([t.replace("\ud83d", "?") for t in texts]),
        atol=1e-4,
    )  # fmt: skip
    said = ["red dresses, Größe 42", "", "it's"]
    for ours, theirs in zip(exported.encode_tokens(said), torch.encode_tokens(said), strict=True):
        assert ours.spans == theirs.spans
        np.testing.assert_allclose(ours.vectors, theirs.vectors, atol=1e-4)
    assert [said[2][a:b] for a, b in exported.encode_tokens(said)[2].spans] == ["it", "'", "s"]
    again = subprocess.run(
        [sys.executable, "-c", USE_ONNX, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    assert again[:2] == ["OnnxEncoder", "False"]
    vector = torch.encode_queries(["red dress"])[0]
    np.testing.assert_allclose([float(x) for x in again[2:]], vector, atol=1e-4)
    assert [path.name[:16] for path in tmp_path.iterdir()] == ["all-MiniLM-L6-v2"]
