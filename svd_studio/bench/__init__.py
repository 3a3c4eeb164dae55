"""Measure the studio against what it is built on, side by side in one run: machines are noisy, ratios are not."""
