"""Pictures in, frames made better, one file out; knows nothing of engines, queues or screens."""
