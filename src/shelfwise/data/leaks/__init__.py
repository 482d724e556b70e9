"""The kinds of leak that the guard looks for, one family a file."""
