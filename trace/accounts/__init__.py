"""Who may sign in, as what, and which of their sessions are alive."""
