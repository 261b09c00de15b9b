"""The demo: one command builds a living system out of four product stories, all of them fictional."""
