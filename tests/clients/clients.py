"""The clients that people use, against the real driver: isql, iusql, isql -b < script, pyodbc.

usage: clients.py DSN   (ODBCSYSINI and ODBCINI point to a private set-up). Ends with N passed, N failed.
"""
import datetime
import decimal
import subprocess
import sys
import threading
import time

import pyodbc

DSN = sys.argv[1]
JOIN = ("SELECT o.order_id, o.product_name, o.quantity, o.price, o.order_date, t.status, t.carrier "
        "FROM mysql_catalog.analytics_db.sample_orders o LEFT JOIN tracking_catalog.main.tracking t "
        "ON CAST(o.order_id AS VARCHAR) = t.order_id ORDER BY o.order_date DESC LIMIT 10")
tests = []


def test(function):
    tests.append(function)
    return function


def run(command, text):
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60).stdout


@test
def isql_runs_the_main_job():
    out = run(["isql", "-v", "-m20", DSN], JOIN + "\n\n")
    assert "6 rows fetched" in out, out
    assert out.index("1006") < out.index("1001"), out


@test
def isql_batch_script():
    out = run(["isql", "-b", "-v", "-m12", DSN], "SELECT 1\nSELECT 2 AS two\nSELECT nothing\n")
    assert out.count("1 rows fetched") == 2 and "nothing" in out, out


@test
def isql_help_lists_tables():
    out = run(["isql", "-b", "-v", "-m20", DSN], "help\n")
    assert "sample_orders" in out and "tracking" in out, out


@test
def isql_delimited_output():
    out = run(["isql", "-b", "-d|", DSN], "SELECT order_id, product_name FROM mysql_catalog.analytics_db.sample_orders WHERE order_id = 1006\n")
    assert "1006|USB-C Hub" in out, out


@test
def iusql_runs_a_query():
    out = run(["iusql", "-b", "-v", "-m20", DSN], "SELECT order_id FROM mysql_catalog.analytics_db.sample_orders\n")
    assert "6 rows fetched" in out, out


@test
def pyodbc_types_and_parameters():
    with pyodbc.connect(f"DSN={DSN}", autocommit=True) as c:
        row = c.execute("SELECT order_id, product_name, price, order_date FROM mysql_catalog.analytics_db.sample_orders "
                        "WHERE product_name = ? AND quantity >= ? AND order_date = ?", "USB-C Hub", 3,
                        datetime.date(2024, 1, 20)).fetchone()
        assert tuple(row) == (1006, "USB-C Hub", decimal.Decimal("79.99"), datetime.date(2024, 1, 20)), row


@test
def pyodbc_none_and_unicode():
    with pyodbc.connect(f"DSN={DSN}") as c:
        row = c.execute("SELECT ?, ?, CAST(? AS varchar)", "ä😀", None, "x" * 5000).fetchone()
        assert row[0] == "ä😀" and row[1] is None and len(row[2]) == 5000


@test
def pyodbc_prepared_again():
    with pyodbc.connect(f"DSN={DSN}") as c:
        cursor = c.cursor()
        for n in (1001, 1004, 9999):
            rows = cursor.execute("SELECT order_id FROM mysql_catalog.analytics_db.sample_orders WHERE order_id = ?", n).fetchall()
            assert len(rows) == (n != 9999), (n, rows)


@test
def pyodbc_catalog():
    with pyodbc.connect(f"DSN={DSN}") as c:
        names = {r.table_name for r in c.cursor().tables(catalog="mysql_catalog")}
        assert "sample_orders" in names, names
        columns = [r.column_name for r in c.cursor().columns(table="sample_orders", catalog="mysql_catalog", schema="analytics_db")]
        assert columns == ["order_id", "customer_id", "product_name", "quantity", "price", "order_date"], columns


@test
def pyodbc_views():
    with pyodbc.connect(f"DSN={DSN}", autocommit=True) as c:
        c.execute("CREATE OR REPLACE VIEW default.big_orders AS SELECT order_id, price FROM mysql_catalog.analytics_db.sample_orders "
                  "WHERE price > 300")
    with pyodbc.connect(f"DSN={DSN}", autocommit=True) as c:  # another connection of the process
        assert [tuple(r)[:4] for r in c.cursor().tables(tableType="VIEW", catalog="views")] == [("views", "default", "big_orders", "VIEW")]
        assert [r.column_name for r in c.cursor().columns(table="big_orders", catalog="views")] == ["order_id", "price"]
        rows = c.execute("SELECT order_id FROM default.big_orders WHERE price < ? ORDER BY 1", decimal.Decimal("1000")).fetchall()
        assert [r[0] for r in rows] == [1004], rows
        c.execute("DROP VIEW default.big_orders")
        assert c.cursor().tables(tableType="VIEW", catalog="views").fetchall() == []


@test
def pyodbc_errors_leave_the_connection_usable():
    with pyodbc.connect(f"DSN={DSN}") as c:
        for sql, state in (("SELECT 1/0", "22012"), ("SELEC 1", "42000"), ("SELECT * FROM mem.default.nope", "42S02")):
            try:
                c.execute(sql).fetchall()
                raise AssertionError(f"{sql} succeeded")
            except pyodbc.Error as e:
                assert e.args[0] == state, (sql, e.args)
        assert c.execute("SELECT 1").fetchone()[0] == 1


@test
def pyodbc_many_rows():
    with pyodbc.connect(f"DSN={DSN}") as c:
        rows = c.execute("SELECT id, v, t FROM mysql_catalog.analytics_db.numbers").fetchall()
        assert len(rows) == 300000 and sum(r[0] for r in rows) == 300000 * 300001 // 2


@test
def pyodbc_cancel_from_a_thread():
    with pyodbc.connect(f"DSN={DSN}") as c:
        cursor = c.cursor()
        timer = threading.Timer(0.5, cursor.cancel)
        timer.start()
        start = time.monotonic()
        try:
            cursor.execute("SELECT count(*) FROM mysql_catalog.analytics_db.numbers a, mysql_catalog.analytics_db.numbers b "
                           "WHERE a.v + b.v = 1").fetchall()
            raise AssertionError("was not cancelled")
        except pyodbc.Error as e:
            assert e.args[0] == "HY008", e.args
        assert time.monotonic() - start < 5
        assert c.execute("SELECT 2").fetchone()[0] == 2


@test
def pyodbc_timeout():
    with pyodbc.connect(f"DSN={DSN}") as c:
        c.timeout = 1
        start = time.monotonic()
        try:
            c.execute("SELECT count(*) FROM mysql_catalog.analytics_db.numbers a, mysql_catalog.analytics_db.numbers b "
                      "WHERE a.v + b.v = 1").fetchall()
            raise AssertionError("did not time out")
        except pyodbc.Error as e:
            assert e.args[0] == "HYT00", e.args
        assert time.monotonic() - start < 4


passed = failed = 0
for function in tests:
    try:
        function()
        passed += 1
    except Exception as error:  # every failure is reported, the others run on
        failed += 1
        print(f"FAILED {function.__name__}: {type(error).__name__}: {str(error)[:600]}")
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
