"""What `python -m midiaug.benchmark` measures: loaders, rivals, starts and steps."""
