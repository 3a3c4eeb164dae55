"""One request to one file: the only room that knows the order of things."""
