"""Picture (and words) to frames. Engines know nothing of queues, files or screens."""
