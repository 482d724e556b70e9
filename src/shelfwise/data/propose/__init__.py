"""What a shop.toml for files that nobody described may look like."""
