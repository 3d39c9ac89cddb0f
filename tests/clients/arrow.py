"""arrow-odbc: batches by column-wise block cursors. usage: arrow.py DSN ROWS.SQL"""
import datetime
import decimal
import sys

from arrow_odbc import read_arrow_batches_from_odbc

dsn, file = sys.argv[1:3]
reader = read_arrow_batches_from_odbc(query=open(file, encoding="utf-8").read(), connection_string="DSN=" + dsn, parameters=["1"], batch_size=2)
assert [str(field.type) for field in reader.schema] == ["int32", "decimal128(10, 2)", "string", "date32[day]", "double", "bool", "timestamp[us]"] \
    or str(reader.schema.field("n").type).startswith("decimal128"), reader.schema
batches = [batch.to_pydict() for batch in reader]
assert [len(b["i"]) for b in batches] == [2, 1], batches
assert batches[0]["n"] == [decimal.Decimal("1.50"), None], batches
assert batches[0]["s"] == ["Grüße", "b"], batches
assert batches[0]["d"] == [datetime.date(2024, 2, 29), None], batches
assert batches[0]["w"][0] == datetime.datetime(2024, 1, 1, 10, 0, 0, 123456), batches
assert batches[1]["f"] == [-1e10] and batches[1]["b"] == [None], batches
reader = read_arrow_batches_from_odbc(query="SELECT order_id, product_name FROM mysql_catalog.analytics_db.sample_orders", connection_string="DSN=" + dsn, batch_size=1000)
assert sum(len(b) for b in reader) == 6
