"""What make and Snakemake run around the notebooks. `run` runs the study, `status` tells how far it is, `plan` and
`estimates` what it will need, `job` runs one notebook with `gpus` of its own, `fork_server` starts it warm, `slurm` is the
cluster, and `summary` tells the end.
"""
