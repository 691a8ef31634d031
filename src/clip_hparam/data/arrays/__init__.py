"""Data sets whose images are stored as arrays: CIFAR and Fashion-MNIST. Imports no torch."""
