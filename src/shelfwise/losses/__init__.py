"""What training makes small: one function a file, tensors in, a scalar out."""
