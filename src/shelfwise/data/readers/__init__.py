"""Public data sets, turned from their publishers' files into shop folders."""
