"""The network (03_train). `initialization` makes a model before its first step, `packing` reads a batch without
padding, through the kernels of `attention`, `compatibility` tests whether a model supports that, `devices` chooses the
device and its precision, `loading` reads a trained model from its folder.
"""
