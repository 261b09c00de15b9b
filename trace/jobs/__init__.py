"""Work that outlives a request: enqueued with the fact that needs it, claimed by one worker at a time."""
