"""Words become a direction in CLIP space, for models that only ever saw pictures."""

import torch


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
