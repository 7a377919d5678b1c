"""Whole recurrent nets from files and trees of arrays: `import_model` and what it is made of.

- `finding`: `import_model`; `models`: the two types that it returns.
- `files` and `hdf5`: named arrays from files that cannot run code, with their sizes checked before they are read.
- `keras_files`: the layers of a `.keras` file, by its configuration.
- `onnx_graphs`: the nodes of an ONNX model as a stack.
- `trees`: the recurrent layers among named arrays, by the table `layouts.LAYOUTS`; `torch_states`: those of torch's modules, and
  `paddle_states` those of Paddle's under the names of torch.
- `order`: the order of layers, and which of them are two directions of one.
"""
