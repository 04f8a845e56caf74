"""The wiring of the study: what the Snakefile needs besides its rules."""
