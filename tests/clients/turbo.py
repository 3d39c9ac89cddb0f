"""turbodbc: columns by column-wise block cursors, rows one by one, parameters. usage: turbo.py DSN ROWS.SQL"""
import datetime
import sys

import turbodbc

dsn, file = sys.argv[1:3]
sql = open(file, encoding="utf-8").read()
options = turbodbc.make_options(read_buffer_size=turbodbc.Rows(2), prefer_unicode=True, autocommit=True)
with turbodbc.connect(dsn=dsn, turbodbc_options=options) as connection:
    cursor = connection.cursor()
    cursor.execute(sql, [1])
    assert [d[0] for d in cursor.description] == ["i", "n", "s", "d", "f", "b", "w"], cursor.description
    rows = cursor.fetchall()
    assert [r[0] for r in rows] == [1, 2, 3] and [r[2] for r in rows] == ["Grüße", "b", ""], rows
    assert rows[0][3] == datetime.date(2024, 2, 29) and rows[1][3] is None, rows
    assert rows[0][4] == 0.5 and rows[2][4] == -1e10 and rows[0][5] is True and rows[2][5] is None, rows
    assert rows[0][6] == datetime.datetime(2024, 1, 1, 10, 0, 0, 123456), rows
    cursor.execute("SELECT order_id, product_name FROM mysql_catalog.analytics_db.sample_orders ORDER BY order_id")
    columns = cursor.fetchallnumpy()
    assert list(columns["order_id"]) == list(range(1001, 1007)) and columns["product_name"][5] == "USB-C Hub", columns
    try:
        cursor.execute("SELECT nothing FROM (VALUES 1) t(x)")
        raise AssertionError("no error")
    except turbodbc.Error as error:
        assert "42S22" in str(error), error
    assert cursor.execute("SELECT 42").fetchone() == [42]
