"""What a model is worth, in numbers that say how much they rest on; numpy and scipy only."""
