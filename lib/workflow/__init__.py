"""What runs around the notebooks. `run` runs the study and `job` one notebook, `arguments` checks what make is given,
`status` prints the state of a study and `summary` its end, `estimates` what a model needs, and `plan` the hours of a
study. The folder named progress shows a run while it goes on. `fork_server` saves the imports of each job, `gpus` gives
jobs their devices, and `slurm` deals with a cluster.
"""
