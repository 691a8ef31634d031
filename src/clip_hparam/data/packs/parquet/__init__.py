"""Parquet files of Hugging Face: their columns, index, and how an image is read."""
