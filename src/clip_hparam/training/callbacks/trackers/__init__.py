"""Send the numbers of a trial to TensorBoard, Weights & Biases, MLflow or another tracker.

A new tracker is a subclass of `tracker.Tracker` and an entry of `registry.TRACKERS`, or an entry
point of a package of its own (docs/extending.md). Imports no torch.
"""
