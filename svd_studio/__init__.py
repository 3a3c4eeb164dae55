"""SVD Studio: a still picture becomes a video, on your own graphics card."""

__version__ = "0.1.0"
