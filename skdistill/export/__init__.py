"""Compact models leave for other runtimes. Exporters read `CompactModel` and nothing else."""
