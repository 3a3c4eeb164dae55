"""Writes SVD-Nano's model card: what it learnt from, how long, and what it cannot do."""

# ruff: noqa: E501
import json
from pathlib import Path

CARD = """# SVD-Nano

A tiny image-to-video checkpoint in the layout of Stable Video Diffusion, so that everything in SVD Studio can be
tried and tested on any computer. It is not by Stability AI and holds none of their weights. It moves a camera over
a still picture, lets what is high drift like clouds or what is low ripple like water, or keeps it still; at about
256x144, 144x256 or 192x192 pixels, 14 frames.

| part | what | parameters |
|---|---|---|
| vae | AutoencoderKLTemporalDecoder, 4x smaller, 8 channels. The encoder is a fixed linear transform (principal components of 4x4 blocks of pixels, half whitened) written into the stock layers; the decoder is trained; its layers over time pass through | 5.0 M |
| unet | UNetSpatioTemporalConditionModel, 128 channels at 3 levels, attention at the lower two; its mixing over time passes through, because each frame of a known move is certain by itself | 15.1 M |
| image_encoder | CLIPVisionModelWithProjection with fixed random weights; 64 numbers, of length about 8, the first 24 always 0 | 0.3 M |
| text_encoder | CLIPTextModelWithProjection, 2 layers of 96, byte-pair tokenizer of its own | 0.3 M |

## Words

The text tower turns a sentence that names camera moves, in English or Chinese, into a unit code in the 24 free
numbers, and every other sentence into one fixed direction outside them. The picture's embedding e becomes
rescale(e + s |e| d, |e|) with d = T(prompt) - T(negative prompt): the studio's formula for every Stable Video Diffusion.
Trained with s from 0.12 to 0.8. Opposite moves have opposite codes, and sums of codes are diagonal moves.
`moves.json` holds the codes by name: where no words name a move the studio draws one from the seed.

"Pan left" moves the camera to the left, so the content goes to the right. The way grows evenly over the frames and
with the motion bucket: at bucket 127 and 7 frames a second a pan of 6 pixels (30 % less far at the top of the picture
and 30 % further at its bottom, as near things pass faster), a zoom of 5 %, a turn of 2.6 degrees, clouds by 9 pixels,
waves of 1.2. Twice as many frames a second go half as far. It knows no sky and no water: what is high drifts, what is
low ripples.

## Training

`python tools/train_nano.py all` gathers the pictures and trains the networks, with Muon and AdamW
(tools/nano_optimiser.py), on a processor or a graphics card. The text tower learns from sentences that
tools/nano_words.py makes up; some phrases are held out.
The denoiser sees v-prediction examples in SVD's parametrisation, ln sigma from N(1.4, 1.5), image noise of 0 to 0.1
added to the picture before encoding, picture and embedding dropped together for 6 % of the examples.
Decoder: {decoder_steps} steps of 4 crops of 48x48 pixels. Denoiser: {unet_steps} steps of 48 windows of 64x64 pixels
(later fewer, larger ones, for zooms and turns whole pictures).

## Measured

On photographs that it has not seen, 14 frames, strength 0.2, bucket 127 unless said otherwise, with Wilson's 95 %
intervals. `python tools/evaluate_nano.py svd_studio/engines/nano PHOTOGRAPHS --figures FILE` measures all of it; the
second table was made with `--parts directions scenes --size 128x80 --steps 5`.

{figures}

docs/svd-nano.jpg shows eight held-out photographs, each with the first and the last frame of its clip: pan left, zoom in,
pan up, turn right, zoom out, pan right, turn left, pan down (`--sheet` of the same tool).

## Limits

Small, soft pictures: fine texture is lost, and the last frames are a little mottled, zooms and turns more than pans.
Near and far, sky and water are told by height alone. Pans uncover what lies outside the picture: that edge is guessed. No other sizes than about those above were tried; far larger ones cost much and gain nothing.

## Licence and data

The weights are released under CC BY-SA 4.0, the strictest of the pictures' licences:

{credits}

Held out, for measuring only: {held_out}.
"""


def write_card(folder: Path, state: Path, steps: tuple[int, int]) -> None:
    """Write README.md beside the weights; what was measured comes from state/figures.md, if that is there."""
    measured = state / "figures.md"
    figures = measured.read_text(encoding="utf-8") if measured.exists() else "Not measured yet."
    listed = json.loads((state / "photos" / "credits.json").read_text())
    rows = ["| picture | author | licence | from |", "|---|---|---|---|"]
    rows += [f"| {p['name']} | {p['author']} | {p['licence']} | {p['package']} |" for p in listed if not p["held_out"]]
    held_out = ", ".join(f"{p['name']} ({p['author']}, {p['licence']})" for p in listed if p["held_out"])
    text = CARD.format(
        credits="\n".join(rows), held_out=held_out, figures=figures, decoder_steps=steps[0], unet_steps=steps[1]
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
