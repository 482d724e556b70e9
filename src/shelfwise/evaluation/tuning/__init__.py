"""Better settings for a shop: searched for by validation, compared on the test once."""
