"""How good frames are: likeness, sharpness, motion. Figures of the field, from pixels alone."""
