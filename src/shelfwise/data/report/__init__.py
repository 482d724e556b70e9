"""What a shop's data holds, in numbers: behind `shelfwise check --html` and its JSON."""
