"""A shop's own files, read with everything that is wrong with them."""

from shelfwise.data.source.fault import Fault, FaultGroup
from shelfwise.data.source.read import ShopTables, read_pairs_file, read_shop
from shelfwise.data.source.scan import TableCounts

__all__ = ["Fault", "FaultGroup", "ShopTables", "TableCounts", "read_pairs_file", "read_shop"]
