"""The network (03_train). `initialization` makes a model before its first step, `packing` reads a batch without
padding, through the kernels of `attention`, `compatibility` tests whether a model supports that, `devices` chooses the
device and its precision, `bfloat16` multiplies matrices in it on a CPU, `loading` reads a trained model.
"""
