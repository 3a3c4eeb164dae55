"""The words that every room shares: pure data, no disk, no torch, no gradio."""
