"""Serve: notebooks under version control, run by a process of their own and published as pages."""
