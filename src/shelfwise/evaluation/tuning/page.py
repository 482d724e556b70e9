def write_tune_page(report, file):
    pass
