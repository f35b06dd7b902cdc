"""A BERT is read as sentence-transformers reads it, and broken folders are refused."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from recommender.errors import ArtifactError

tokenizers = pytest.importorskip("tokenizers", reason="needs requirements-embedder.txt")
text_embedder = pytest.importorskip("recommender.retrieval.text_embedder")
TextEmbedder = text_embedder.TextEmbedder

LAYERS, HEADS, SIZE, INNER, LONGEST = 2, 2, 8, 16, 12
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", ":", "a", "ghost", "haunts", "the", "house"]


@pytest.fixture
def folder(tmp_path):
    """A folder of a tiny model with random weights."""
    rng = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=rng) / 2

    weights = {
        "embeddings.word_embeddings.weight": random(len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": random(LONGEST, SIZE),
        "embeddings.token_type_embeddings.weight": random(2, SIZE),
    }
    norms = ["embeddings.LayerNorm"]
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}."
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
        for name, rows, columns in (
            ("attention.self.query", SIZE, SIZE),
            ("attention.self.key", SIZE, SIZE),
            ("attention.self.value", SIZE, SIZE),
            ("attention.output.dense", SIZE, SIZE),
            ("intermediate.dense", INNER, SIZE),
            ("output.dense", SIZE, INNER),
        ):
            weights[f"{layer}{name}.weight"] = random(rows, columns)
            weights[f"{layer}{name}.bias"] = random(rows)
    for norm in norms:
        weights[f"{norm}.weight"], weights[f"{norm}.bias"] = 1 + random(SIZE), random(SIZE)
    save_file(weights, tmp_path / "model.safetensors")
    save_config(tmp_path)
    vocabulary = {word: n for n, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def save_config(folder, **changes):
    about = {
        "model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "hidden_size": SIZE, "max_position_embeddings": LONGEST,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(about | changes))


def plain_states(folder, ids):
    """The same network out of torch's own layers."""
    weights = load_file(folder / "model.safetensors")

    def load(layer, name):
        layer.weight.data, layer.bias.data = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return layer

    states = weights["embeddings.word_embeddings.weight"][ids]
    states = states + weights["embeddings.position_embeddings.weight"][: len(ids)]
    states = states + weights["embeddings.token_type_embeddings.weight"][0]
    states = load(nn.LayerNorm(SIZE, eps=1e-12), "embeddings.LayerNorm")(states)[None]
    for n in range(LAYERS):
        name = f"encoder.layer.{n}."
        layer = nn.TransformerEncoderLayer(
            SIZE, HEADS, INNER, dropout=0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
        )
        parts = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
        layer.self_attn.in_proj_weight.data = torch.cat([weights[f"{p}.weight"] for p in parts])
        layer.self_attn.in_proj_bias.data = torch.cat([weights[f"{p}.bias"] for p in parts])
        load(layer.self_attn.out_proj, f"{name}attention.output.dense")
        load(layer.norm1, f"{name}attention.output.LayerNorm")
        load(layer.linear1, f"{name}intermediate.dense")
        load(layer.linear2, f"{name}output.dense")
        load(layer.norm2, f"{name}output.LayerNorm")
        states = layer(states)
    return states[0].detach().numpy()


def test_a_text_is_the_mean_of_its_tokens_last_states(folder):
    ids = [2, *map(WORDS.index, ["a", "ghost", "haunts", "the", "house"]), 3]
    mean = plain_states(folder, ids).mean(axis=0)
    found = TextEmbedder.load(folder).embed_query("A ghost haunts the house")
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-5)


def test_the_first_token_counts_alone_where_the_folder_says_so(folder):
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first = plain_states(folder, [2, WORDS.index("ghost"), 3])[0]
    found = TextEmbedder.load(folder).embed_query("ghost")
    np.testing.assert_allclose(found, first / np.linalg.norm(first), atol=1e-5)


def test_a_batch_is_its_texts_alone_and_long_ones_are_cut(folder):
    embedder = TextEmbedder.load(folder)
    texts = ["ghost", "a ghost haunts the house", "", "the house " * 40, "house"] * 9
    together = embedder.embed_documents(texts)
    alone = np.stack([embedder.embed_documents([text])[0] for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert embedder.embed_documents([]).shape == (0, SIZE)


def test_prompts_of_the_folder_are_put_before_texts(folder):
    plain = TextEmbedder.load(folder)
    prompts = {"prompts": {"query": "query: ", "document": ""}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    prompted = TextEmbedder.load(folder)
    np.testing.assert_array_equal(prompted.embed_query("ghost"), plain.embed_query("query: ghost"))
    np.testing.assert_array_equal(
        prompted.embed_documents(["ghost"]), plain.embed_documents(["ghost"])
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: save_config(folder, model_type="t5"),
        lambda folder: save_config(folder, num_hidden_layers=LAYERS + 1),
        lambda folder: save_config(folder, num_attention_heads=None),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "model.safetensors").write_bytes(b"no weights"),
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        lambda folder: (folder / "tokenizer.json").unlink(),
    ],
)
def test_a_folder_that_holds_no_such_model_is_refused(folder, spoil):
    spoil(folder)
    with pytest.raises(ArtifactError, match=str(folder)):
        TextEmbedder.load(folder)


def test_a_model_is_known_by_its_files(folder):
    before = text_embedder.fingerprint(folder)
    assert before == text_embedder.fingerprint(folder)
    save_config(folder, hidden_act="relu")
    assert text_embedder.fingerprint(folder) != before
    (folder / "model.safetensors").unlink()
    with pytest.raises(ArtifactError, match="holds no model"):
        text_embedder.fingerprint(folder)
