"""What runs around the notebooks. `run` runs the study and `job` one notebook, `arguments` checks what make is given,
`status` prints the state of a study and `summary` its end, `plan` and `estimates` what it will need. `fork_server`
saves the imports of each job, `gpus` gives jobs their devices, and `slurm` deals with a cluster.
"""
