"""Names of the files in a run folder: training writes them, ranking reads them."""

MODEL = "model.safetensors"
TABLES = "tables.safetensors"  # item_text_VH, item_number_VF, item_warm_V, trend_VG
ITEMS = "items.parquet"
CAMPAIGNS = "campaigns.parquet"
CURVE = "curve.json"
CALIBRATION = "calibration.json"  # from logits to probabilities that hold
