"""How others take the value and gradient of a recurrent net: each `make(cell, shape)` builds it on the weights of `problem`."""
