"""Metrics of a trained model beyond accuracy and loss, and the file of its predictions."""
