"""What a run shows while it goes on. Within Snakemake `events` reports what starts and ends; the process that holds the
lock counts it with `jobs`, and shows it with `display`.
"""
