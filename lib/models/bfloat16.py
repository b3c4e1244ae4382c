"""Matrix products in bfloat16 on a CPU: their factors are rounded, and everything else stays in float32.

bfloat16 has the range of float32 and 8 bits of precision. Weights and their gradients, sums over tokens, normalisation,
attention and softmax stay in float32.
"""

import torch
from torch.nn.functional import linear
from torch.overrides import TorchFunctionMode


class BFloat16Products(TorchFunctionMode):
    """A context in which layers multiply by their weights in bfloat16, forward and backward.

    No model needs to know: linear layers call `linear`, GPT-2's layers `addmm`, and other operations are left as they
    are. A weight is rounded once in a context; so a context must end before an optimiser changes the weights.
    """

    def __init__(self):
        super().__init__()
        self.rounded = {}  # id of a weight: the weight in bfloat16

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is linear:
            return self._linear(*args, **kwargs or {})
        if function is torch.addmm and len(args) == 3 and not kwargs:
            bias, states, weight = args
            return _Product.apply(states, weight.T, self._round(weight).T) + bias
        return function(*args, **kwargs or {})

    def _linear(self, input, weight, bias=None):
        product = _Product.apply(input, weight, self._round(weight))
        return product if bias is None else product + bias

    def _round(self, weight):
        if weight._base is not None:  # a part of a weight is a new object in each call
            return weight.detach().bfloat16()
        if id(weight) not in self.rounded:
            self.rounded[id(weight)] = weight.detach().bfloat16()
        return self.rounded[id(weight)]


class _Product(torch.autograd.Function):
    """states [..., n] times the transpose of weight [m, n], in float32. rounded: weight in bfloat16."""

    @staticmethod
    def forward(ctx, states, weight, rounded):
        rows = states.reshape(-1, states.shape[-1]).bfloat16()
        ctx.save_for_backward(rows, rounded)
        return (rows @ rounded.T).float().reshape(*states.shape[:-1], -1)

    @staticmethod
    def backward(ctx, grad):
        rows, rounded = ctx.saved_tensors
        row_grads = grad.reshape(-1, grad.shape[-1]).bfloat16()
        states_grad = (row_grads @ rounded).float().reshape(*grad.shape[:-1], -1)
        if rounded.is_contiguous():
            return states_grad, (row_grads.T @ rows).float(), None
        return states_grad, (rows.T @ row_grads).float().T, None  # GPT-2 stores the transpose
