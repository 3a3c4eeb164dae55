"""Trains SVD-Nano's text tower: words to the directions that its denoiser was trained with, in minutes on a CPU.

A sentence that names a move becomes the move's code, any other one a fixed direction outside the codes; the app's
formula, T(prompt) - T(negative), then holds the code, and nothing else that the denoiser reacts to.
"""

import json
import random
import time
from pathlib import Path

import torch
from nano_model import AXES, AXIS_COUNT, EMBEDDING, code, nothing_named
from nano_words import HELD_OUT, OTHERS, sentence
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
VOCABULARY, LENGTH, BATCH, RATE = 900, 77, 96, 2e-3


def train_text(out: Path, steps: int) -> None:
    """Train the tower and write it with its tokenizer beside the other parts of the checkpoint."""
    torch.manual_seed(5)
    draw = random.Random(5)
    tokenizer = make_tokenizer([sentence(draw)[0] for _ in range(20_000)])
    tower = build_tower(tokenizer)
    optimiser = torch.optim.AdamW(tower.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    began = time.monotonic()
    for step in range(steps):
        pairs = [sentence(draw) for _ in range(BATCH)]
        wanted = torch.stack([target(moves) for _, moves in pairs])
        found = embed(tower, tokenizer, [text for text, _ in pairs])
        loss = 1 - nn.functional.cosine_similarity(found, wanted).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            print(f"text step {step + 1} loss {loss.item():.4f} {time.monotonic() - began:.0f} s", flush=True)
    tower.eval()
    for text, cosine in held_out(tower, tokenizer):
        print(f"{cosine:+.2f}  {text}", flush=True)
    tower.to(torch.float16).save_pretrained(out / "text_encoder", variant="fp16")
    tokenizer.save_pretrained(out / "tokenizer")


def target(moves: list[str]) -> Tensor:
    """The unit direction of a sentence: its moves' code, or the one that means none."""
    if not moves or moves == ["still"]:
        return nothing_named(standing_still=bool(moves))
    direction = torch.zeros(1, AXIS_COUNT)
    for move in moves:
        axis, sign = AXES[move]
        direction[0, axis] += sign
    named: Tensor = code(direction / direction.norm())[0]
    return named


def make_tokenizer(sentences: list[str]) -> CLIPTokenizer:
    """CLIP's own kind of tokenizer (byte pairs), its pairs learnt from our sentences."""
    trainee = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    like = CLIPTokenizer()._tokenizer
    trainee.normalizer, trainee.pre_tokenizer = like.normalizer, like.pre_tokenizer
    trainee.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    trainee.train_from_iterator(sentences, trainer)
    learnt = trainee.get_vocab()
    names = [name for name, _ in sorted(learnt.items(), key=lambda pair: pair[1])]
    names += [f"{letter}</w>" for letter in sorted(alphabet) if f"{letter}</w>" not in learnt]
    vocabulary = {name: number for number, name in enumerate([*names, START, END])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges_of(trainee), model_max_length=LENGTH)


def merges_of(trained: Tokenizer) -> list[tuple[str, str]]:
    """The pairs in the order in which they were learnt."""
    return [(first, second) for first, second in json.loads(trained.to_str())["model"]["merges"]]


def build_tower(tokenizer: CLIPTokenizer) -> CLIPTextModelWithProjection:
    """Build a CLIP text tower of two small layers."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        projection_dim=EMBEDDING,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModelWithProjection(config)


def embed(tower: CLIPTextModelWithProjection, tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Text embeddings [n, 64], not normalised."""
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
    embeddings: Tensor = tower(tokens.input_ids).text_embeds
    return embeddings


@torch.no_grad()
def held_out(tower: CLIPTextModelWithProjection, tokenizer: CLIPTokenizer) -> list[tuple[str, float]]:
    """How near sentences that it never saw come to where they belong."""
    named = [(text, [move]) for move, texts in HELD_OUT.items() for text in texts]
    named += [(f"{text}, {OTHERS[3]}", moves) for text, moves in named]
    found = embed(tower, tokenizer, [text for text, _ in named])
    wanted = torch.stack([target(moves) for _, moves in named])
    likeness = nn.functional.cosine_similarity(found, wanted).tolist()
    return [(text, cosine) for (text, _), cosine in zip(named, likeness, strict=True)]
