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
def isql_help_describes_a_table():
    for program in ("isql", "iusql"):
        out = run([program, "-b", "-v", "-m20", DSN], "help sample_orders\n")
        rows = [line for line in out.splitlines() if "sample_orders" in line]
        assert len(rows) == 6 and "| price" in rows[4] and "| decimal" in rows[4], (program, out)
        assert "SQL_DATETIME_SUB" in out or "SQL_DATETIME_S" in out, out  # 18 columns


@test
def iusql_help_lists_tables():
    out = run(["iusql", "-b", "-v", "-m20", DSN], "help\n")
    assert "sample_orders" in out and "tracking" in out, out


@test
def isql_rows_of_300_columns():
    sql = "SELECT " + ", ".join(f"{i} * x AS c{i}" for i in range(1, 301)) + " FROM (VALUES 1, 2) t(x) ORDER BY x\n"
    for program in ("isql", "iusql"):
        out = run([program, "-b", "-d|", DSN], sql)
        rows = [line.rstrip("|").split("|") for line in out.splitlines() if line.count("|") >= 299]
        assert [[int(v) for v in row] for row in rows] == [[i * x for i in range(1, 301)] for x in (1, 2)], (program, out[:300])


@test
def isql_script_goes_on_after_errors():
    script = "SELECT 1/0\nSELECT * FROM mem.default.nope\nSELECT 'still' || ' here' AS x\n"
    for program in ("isql", "iusql"):
        done = subprocess.run([program, "-b", "-v", "-m20", DSN], input=script, capture_output=True, text=True, timeout=60)
        out = done.stdout + done.stderr
        assert "division by zero" in out and "no table \"nope\"" in out and "still here" in out, (program, out)


@test
def isql_writes_html_and_quotes():
    out = run(["isql", "-b", "-w", DSN], "SELECT 'a' AS x, NULL AS y\n")
    assert "<table" in out.lower() and "a" in out, out
    out = run(["isql", "-b", "-c", "-d,", "-q", DSN], "SELECT 'a, b' AS x, 7 AS y\n")
    assert "a, b" in out and "7" in out and "x" in out, out


@test
def pyodbc_every_way_to_fetch():
    sql = "SELECT order_id, product_name FROM mysql_catalog.analytics_db.sample_orders ORDER BY order_id"
    with pyodbc.connect(f"DSN={DSN}") as c:
        cursor = c.cursor()
        cursor.execute(sql)
        assert [d[0] for d in cursor.description] == ["order_id", "product_name"]
        assert [d[1] for d in cursor.description] == [int, str]
        assert cursor.description[0][6] is False and cursor.description[1][6] is True  # NULL possible?
        first = cursor.fetchone()
        assert first.order_id == 1001 and first[1] == "Laptop Pro 15"
        assert [r[0] for r in cursor.fetchmany(2)] == [1002, 1003]
        cursor.skip(1)
        assert cursor.fetchval() == 1005
        assert [r[0] for r in cursor] == [1006]
        assert cursor.fetchone() is None and cursor.fetchall() == [] and cursor.fetchmany(5) == []
        assert cursor.nextset() is False
        cursor.arraysize = 4
        cursor.execute(sql)
        assert [len(cursor.fetchmany()) for _ in range(3)] == [4, 2, 0]
        assert cursor.execute("SELECT count(*) FROM mysql_catalog.analytics_db.sample_orders").fetchval() == 6
        other = c.cursor()  # two open results on a connection
        cursor.execute(sql)
        other.execute(sql + " DESC")
        pairs = [(a[0], b[0]) for a, b in zip(cursor, other)]
        assert pairs == [(1001 + i, 1006 - i) for i in range(6)], pairs


@test
def pyodbc_every_type():
    with pyodbc.connect(f"DSN={DSN}") as c:
        row = c.execute("SELECT true, CAST(1 AS tinyint), CAST(-2 AS smallint), 3, CAST(4000000000 AS bigint), CAST(0.5 AS real), 1E-3, "
                        "DECIMAL '12345678901234567890.123456789', CHAR 'ab', 'ä€😀', X'00ff', DATE '0001-01-01', TIME '23:59:59', "
                        "TIMESTAMP '9999-12-31 23:59:59.999999', UUID '00112233-4455-6677-8899-aabbccddeeff', JSON '[1]', ARRAY[1, NULL]").fetchone()
        assert tuple(row) == (True, 1, -2, 3, 4000000000, 0.5, 0.001, decimal.Decimal("12345678901234567890.123456789"), "ab", "ä€😀",
                              b"\x00\xff", datetime.date(1, 1, 1), datetime.time(23, 59, 59),
                              datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), "00112233-4455-6677-8899-aabbccddeeff", "[1]", "[1,null]"), row


@test
def pyodbc_null_parameters():
    table = "mysql_catalog.analytics_db.sample_orders"
    with pyodbc.connect(f"DSN={DSN}") as c:
        cases = (("SELECT count(*) FROM {t} WHERE customer_id = ?", (None,), 0),
                 ("SELECT count(*) FROM {t} WHERE customer_id IS NOT DISTINCT FROM ?", (None,), 0),
                 ("SELECT coalesce(?, product_name) FROM {t} WHERE order_id = ?", (None, 1006), "USB-C Hub"),
                 ("SELECT count(*) FROM {t} WHERE ? IS NULL", (None,), 6),
                 ("SELECT ? + quantity FROM {t} WHERE order_id = 1006", (None,), None),
                 ("SELECT count(*) FROM {t} WHERE order_date BETWEEN ? AND ?", (None, datetime.date(2024, 1, 17)), 0),
                 ("SELECT count(*) FROM {t} WHERE price IN (?, ?)", (None, decimal.Decimal("79.99")), 1),
                 ("SELECT CASE WHEN ? THEN 'yes' ELSE 'no' END", (None,), "no"))
        for sql, values, expected in cases:
            got = c.execute(sql.format(t=table), values).fetchval()
            assert got == expected, (sql, got)
        cursor = c.cursor()  # one prepared text, NULL and values in turn
        for value, expected in ((101, 2), (None, 0), (102, 1)):
            assert cursor.execute(f"SELECT count(*) FROM {table} WHERE customer_id = ?", value).fetchval() == expected


@test
def pyodbc_every_catalog_call():
    names = {"catalog": "mysql_catalog", "schema": "analytics_db"}
    with pyodbc.connect(f"DSN={DSN}") as c:
        cursor = c.cursor()
        assert {r.table_cat for r in cursor.tables(catalog="%", schema="", table="").fetchall()} >= {"mysql_catalog", "tracking_catalog", "mem"}
        assert "TABLE" in {r.table_type for r in cursor.tables(catalog="", schema="", table="", tableType="%").fetchall()}
        found = cursor.tables(table="sample%", **names).fetchall()
        assert [r.table_name for r in found] == ["sample_orders"], found
        assert cursor.tables(table="samplexorders", **names).fetchall() == []
        assert [r.column_name for r in cursor.primaryKeys("sample_orders", **names).fetchall()] == ["order_id"]
        assert cursor.foreignKeys("sample_orders", **names).fetchall() == []
        unique = [r.column_name for r in cursor.statistics("sample_orders", unique=True, **names).fetchall() if r.column_name]
        assert unique == ["order_id"], unique
        assert [r.column_name for r in cursor.rowIdColumns("sample_orders", **names).fetchall()] == ["order_id"]
        assert cursor.rowVerColumns("sample_orders", **names).fetchall() == []
        assert cursor.procedures().fetchall() == [] and cursor.procedureColumns().fetchall() == []
        assert {r.type_name for r in cursor.getTypeInfo().fetchall()} >= {"varchar", "decimal", "timestamp", "boolean"}
        assert [r.type_name for r in cursor.getTypeInfo(pyodbc.SQL_TYPE_DATE).fetchall()] == ["date"]
        columns = cursor.columns(table="sample_orders", column="order%", **names).fetchall()
        assert [(r.column_name, r.data_type, r.ordinal_position) for r in columns] == \
            [("order_id", pyodbc.SQL_INTEGER, 1), ("order_date", pyodbc.SQL_TYPE_DATE, 6)], columns


@test
def pyodbc_connection_attributes():
    with pyodbc.connect(f"DSN={DSN}", timeout=3, readonly=True) as c:
        assert c.getinfo(pyodbc.SQL_DBMS_NAME) == "Tributary" and c.getinfo(pyodbc.SQL_IDENTIFIER_QUOTE_CHAR) == '"'
        assert c.searchescape == "\\"
        assert c.autocommit is False
        c.execute("SELECT 1").fetchall()
        c.commit()
        c.rollback()
        c.autocommit = True
        c.add_output_converter(pyodbc.SQL_DECIMAL, lambda value: "<" + value.decode("utf-16-le") + ">" if b"\0" in value else "<" + value.decode() + ">")
        assert c.execute("SELECT DECIMAL '1.50'").fetchval() == "<1.50>"


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
        back = threading.Event()

        def cancel():  # again, should the call not have begun before
            while not back.wait(0.5):
                cursor.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        try:
            cursor.execute("SELECT count(*) FROM mysql_catalog.analytics_db.numbers a, mysql_catalog.analytics_db.numbers b "
                           "WHERE a.v + b.v = 1").fetchall()
            raise AssertionError("was not cancelled")
        except pyodbc.Error as e:
            assert e.args[0] == "HY008", e.args  # the query itself takes many minutes
        finally:
            back.set()
            canceller.join()
        assert c.execute("SELECT 2").fetchone()[0] == 2


@test
def pyodbc_cancel_while_fetching():
    with pyodbc.connect(f"DSN={DSN}") as c:
        cursor = c.cursor()
        cursor.execute("SELECT a.id, b.id, a.t FROM mysql_catalog.analytics_db.numbers a, mysql_catalog.analytics_db.numbers b")
        timer = threading.Timer(0.5, cursor.cancel)
        timer.start()
        start = time.monotonic()
        try:
            for _ in cursor:
                assert time.monotonic() - start < 60, "was not cancelled"
            raise AssertionError("was not cancelled")
        except pyodbc.Error as e:
            # Between two calls the manager takes the cancelled cursor for closed and says HY010 itself.
            assert e.args[0] == "HY008" or (e.args[0] == "HY010" and "Driver Manager" in e.args[1]), e.args
        timer.join()
        assert c.execute("SELECT 3").fetchval() == 3


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
        assert time.monotonic() - start < 30  # of many minutes


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
