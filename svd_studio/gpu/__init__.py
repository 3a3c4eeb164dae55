"""What the card can take: its memory, its heat, its load."""
