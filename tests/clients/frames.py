"""pandas.read_sql over pyodbc, and through a raw connection of an SQLAlchemy pool. usage: frames.py DSN ROWS.SQL"""
import decimal
import sys
import warnings

import pandas
import pyodbc
import sqlalchemy.pool

dsn, file = sys.argv[1:3]
sql = open(file, encoding="utf-8").read()
warnings.simplefilter("ignore")  # pandas prefers SQLAlchemy's connections
with pyodbc.connect("DSN=" + dsn, autocommit=True) as connection:
    frame = pandas.read_sql(sql, connection, params=[1], coerce_float=False)
    assert list(frame.columns) == ["i", "n", "s", "d", "f", "b", "w"], frame
    assert list(frame["n"]) == [decimal.Decimal("1.50"), None, decimal.Decimal("-3.25")], frame
    assert frame["i"].dtype == "int64" and str(frame["w"].dtype).startswith("datetime64"), frame.dtypes
    pieces = list(pandas.read_sql("SELECT order_id FROM mysql_catalog.analytics_db.sample_orders", connection, chunksize=4))
    assert [len(p) for p in pieces] == [4, 2], pieces
pool = sqlalchemy.pool.QueuePool(lambda: pyodbc.connect("DSN=" + dsn), pool_size=2)
for _ in range(3):
    raw = pool.connect()
    cursor = raw.cursor()
    cursor.execute(sql, [2])
    assert [row[0] for row in cursor.fetchall()] == [2, 3]
    cursor.close()
    raw.close()
pool.dispose()
