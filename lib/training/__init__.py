"""How a model learns (03_train). `preparation` is what it begins with, `loop` trains one model, `dataset` says which
example comes when, `trainer` is Hugging Face's Trainer with ILM's loss, `callbacks` is what happens beside its steps,
`checkpoints` keeps what was learned, `model_folder` leaves the result, `launch` and `distributed` share a training
among processes.
"""
