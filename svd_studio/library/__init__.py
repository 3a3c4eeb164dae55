"""What is kept: finished clips, presets, model weights."""
