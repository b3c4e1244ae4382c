"""How a model is trained (03_train). `preparation` makes initial weights, examples and the validation set. `loop`
trains one model: `dataset` orders the examples, `trainer` is Hugging Face's Trainer with ILM's loss, and halves batches
when memory runs out, and `callbacks` run between its steps. `checkpoints` lets a training resume, and `model_folder`
saves the result. `launch` and `distributed` train on several devices. `summary` states the outcome in sentences.
"""
