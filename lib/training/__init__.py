"""How a model learns (03_train). `preparation` is what it begins with, `loop` trains one model, `dataset` says which
example comes when, `trainer` adds to Hugging Face's Trainer, `checkpoints` keeps what was learned, `launch` and
`distributed` share a training among processes.
"""
