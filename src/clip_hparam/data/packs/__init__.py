"""Images inside larger files: tar shards in WebDataset's layout, Parquet files of Hugging Face.

Such a file is called a pack. It is indexed once and read at random. Imports no torch.
"""
