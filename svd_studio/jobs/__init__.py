"""What waits and what runs: the durable queue and the process that works it off."""
