"""RUN: everything that starts or stops processes: up, demo, check, the command line's other tools."""
