"""A fix from its beginning to its end: what a user chooses, what is tried, and functions in place of commands."""
