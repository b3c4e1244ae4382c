"""The network (03_train). `initialization` says where a model starts, `packing` lets a batch be read without padding,
`compatibility` tries whether a model can be read so, `devices` says where it computes and how, `loading` reads a
trained one back.
"""
