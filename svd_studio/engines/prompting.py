"""Words become a direction in CLIP space, for models that only ever saw pictures.

SVD cross-attends to one CLIP image embedding, and that image tower has a text sibling in the same space. A difference
of two texts is used, not a text itself, because texts and pictures lie in different cones of that space.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from svd_studio.core.errors import RenderFailed


class TextTower:
    """Turn words into unit vectors in the image embedding's space, on the CPU: it is asked once a clip.

    Reads text_encoder/ and tokenizer/ of a checkpoint, or a folder that holds a whole CLIP, whose pictures' half is
    left on the disk.
    """

    def __init__(self, folder: Path) -> None:
        part, words = (folder / "text_encoder", folder / "tokenizer") if has_text_tower(folder) else (folder, folder)
        variant = "fp16" if any(part.glob("*.fp16.safetensors")) else None
        try:
            self.model = CLIPTextModelWithProjection.from_pretrained(
                str(part),
                variant=variant,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
            )
            self.tokenizer = CLIPTokenizer.from_pretrained(str(words), local_files_only=True)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise RenderFailed("weights.unreadable", folder=str(folder), detail=str(error)[:200]) from error
        self.model.eval()

    @torch.inference_mode()
    def direction(self, prompt: str, negative: str) -> torch.Tensor:
        """d = T(prompt) − T(negative), T of unit length and d not: near-equal words must mean little."""
        if prompt == negative:  # two rows of one batch differ in their last bits
            return torch.zeros(self.model.config.projection_dim)
        length = self.model.config.max_position_embeddings
        tokens = self.tokenizer(
            [prompt, negative], padding=True, truncation=True, max_length=length, return_tensors="pt"
        )
        embedded = self.model(tokens.input_ids).text_embeds
        wanted, unwanted = embedded / embedded.norm(dim=-1, keepdim=True)
        difference: torch.Tensor = wanted - unwanted
        return difference


def has_text_tower(folder: Path) -> bool:
    """Whether a checkpoint brings the text sibling of its image encoder."""
    return (folder / "text_encoder").is_dir() and (folder / "tokenizer").is_dir()


def steer(embedding: torch.Tensor, direction: torch.Tensor, strength: float) -> torch.Tensor:
    """Push an image embedding along a direction, keeping its length.

    e' = rescale(e + s·|e|·d, |e|). Strength 0 or a zero direction returns the embedding itself, bit for bit.
    """
    if strength == 0 or not bool(direction.any()):
        return embedding
    length = embedding.norm(dim=-1, keepdim=True)
    moved: torch.Tensor = embedding + strength * length * direction.to(embedding)
    rescaled: torch.Tensor = moved * (length / moved.norm(dim=-1, keepdim=True))
    return rescaled
