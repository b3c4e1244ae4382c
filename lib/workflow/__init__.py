"""What runs around the notebooks. `run` runs the study, `job` one notebook, `status` tells how far it is
and `summary` how it ended, `plan` and `estimates` what it will need; `fork_server` starts jobs warm, `gpus` gives them
devices, and `slurm` is the cluster.
"""
