"""ONNX models, by hand and of exporters, beside onnxruntime."""
