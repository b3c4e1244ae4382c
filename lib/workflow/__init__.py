"""What make and Snakemake run around the notebooks. `run` runs the study, `status` tells how far it is, `plan` and
`estimates` what it will need, `gpus`, `slurm`, `retries` and `fork_server` start its jobs.
"""
