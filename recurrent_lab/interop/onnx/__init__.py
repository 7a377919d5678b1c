"""Reads and writes the recurrent nodes of ONNX models.

    entries = from_onnx("model.onnx")           every LSTM, GRU and RNN node: name, cell, params, how it is fed
    run = run_entry(entries[0], xs)             as onnxruntime runs it
    to_onnx(cell, params, "model.onnx")         a model that computes a cell or a stack

The package `onnx` parses and writes the files (`pip install "recurrent-lab[onnx]"`). No runtime is needed.
"""

from recurrent_lab.interop.onnx._activations import TABLE as ACTIVATIONS
from recurrent_lab.interop.onnx._entries import Feeding, OnnxEntry, from_onnx
from recurrent_lab.interop.onnx._running import EntryRun, one_entry, run_entry
from recurrent_lab.interop.onnx._writing import to_onnx

__all__ = ["ACTIVATIONS", "EntryRun", "Feeding", "OnnxEntry", "from_onnx", "one_entry", "run_entry", "to_onnx"]
