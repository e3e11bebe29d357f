"""A tiny encoder with random weights, and catalogs it can learn something about."""

from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
COLOURS = ("red", "blue", "green", "black", "white", "grey")
TYPES = ("boot", "shirt", "lamp", "cable", "kettle", "novel", "tent", "drill")
MAKERS = ("acme", "nordix", "velora", "quandt", "ostrava")
PARTS = ("cotton", "steel", "leather", "walnut", "nylon", "ceramic", "canvas")


def make_encoder_folder(folder: Path, seed: int = 0) -> Path:
    """Save a sentence-transformers model: two layers of BERT over letters and a few words."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    bert = folder / "bert"
    bert.mkdir(parents=True)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{c}" for c in LETTERS)]
    (bert / "vocab.txt").write_text("\n".join([*pieces, *COLOURS, *TYPES, *MAKERS, *PARTS]))
    tokenizer = BertTokenizerFast(str(bert / "vocab.txt"))
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.1,
    )  # fmt: skip
    BertModel(config).save_pretrained(bert)
    tokenizer.save_pretrained(bert)
    transformer = Transformer(str(bert), max_seq_length=48)
    model = SentenceTransformer(
        modules=[transformer, Pooling(transformer.get_embedding_dimension(), "mean")]
    )
    model.save(str(folder / "model"), create_model_card=False)
    return folder / "model"


def write_catalog(path: Path, items: int = 300) -> Path:
    """Write a catalog whose items all have different titles."""
    lines = ["id,title,colour,type,brand,description"]
    for n in range(items):
        colour, kind = COLOURS[n % 6], TYPES[n // 6 % 8]
        maker, part = MAKERS[n // 7 % 5], PARTS[n // 5 % 7]
        words = f"{maker} {part} {kind} {LETTERS[n % 26] * 2}{LETTERS[n // 26 % 26]}"
        lines.append(f"{n},{words},{colour},{kind},{maker},A {colour} {kind} made of {part} here.")
    path.write_text("\n".join(lines))
    return path
