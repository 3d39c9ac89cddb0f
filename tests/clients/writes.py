"""Storing rows from Python: pyodbc's executemany in both ways, transactions, large values; SQLAlchemy Core on a plain table.

usage: writes.py DSN [MORE]   MORE of the connection string names the catalog; else it is `mem`, in memory. Ends with N passed, N failed.
"""
import datetime
import decimal
import sys

import pyodbc
import sqlalchemy
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.engine import default

STRING = f"DSN={sys.argv[1]};" + (sys.argv[2] if len(sys.argv) > 2 else "Catalog=mem")
ROWS = [(i, f"Größe {i} 😀" if i % 5 else None, i / 4, datetime.date(2024, 2, 1 + i % 29), decimal.Decimal(i) / 8,
         datetime.datetime(2024, 1, 15, 10, 30, i % 60, 250000)) for i in range(1000)]
tests = []


def test(function):
    tests.append(function)
    return function


def table(connection, name):
    cursor = connection.cursor()
    cursor.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY, text varchar, real double, day date, exact decimal(12,3), at timestamp(6))")
    connection.commit()
    return cursor


def stored(cursor, name):
    return [tuple(row) for row in cursor.execute(f"SELECT * FROM {name} ORDER BY id").fetchall()]


def executemany(fast):
    connection = pyodbc.connect(STRING)
    cursor = table(connection, "many")
    cursor.fast_executemany = fast
    cursor.executemany("INSERT INTO many VALUES (?, ?, ?, ?, ?, ?)", ROWS)
    assert stored(cursor, "many") == ROWS
    connection.rollback()
    assert stored(cursor, "many") == []
    cursor.executemany("INSERT INTO many VALUES (?, ?, ?, ?, ?, ?)", ROWS[:10])
    connection.commit()
    assert stored(pyodbc.connect(STRING).cursor(), "many") == ROWS[:10]
    cursor.execute("DROP TABLE many")
    connection.commit()


@test
def pyodbc_executemany():
    executemany(False)


@test
def pyodbc_fast_executemany():
    executemany(True)


def duplicate_key(fast):
    """A row of an array that is refused must not go missing without a word."""
    connection = pyodbc.connect(STRING)
    cursor = table(connection, "twice")
    cursor.fast_executemany = fast
    for number in (2, 500, 999):
        rows = [*ROWS]
        rows[number] = ROWS[0]
        try:
            cursor.executemany("INSERT INTO twice VALUES (?, ?, ?, ?, ?, ?)", rows)
            raise AssertionError(f"the key of row {number} was there already")
        except pyodbc.IntegrityError as error:
            assert error.args[0] == "23000", error
        connection.rollback()
    assert stored(cursor, "twice") == []
    cursor.execute("DROP TABLE twice")
    connection.commit()


@test
def pyodbc_duplicate_key():
    duplicate_key(False)


@test
def pyodbc_fast_duplicate_key():
    duplicate_key(True)


def merge(fast):
    """Rows that are there already or not, by arrays of parameters, whose types come from the target's columns."""
    connection = pyodbc.connect(STRING)
    cursor = table(connection, "merged")
    cursor.executemany("INSERT INTO merged VALUES (?, ?, ?, ?, ?, ?)", ROWS[:500:2])
    cursor.fast_executemany = fast
    cursor.executemany("MERGE INTO merged m USING (VALUES (?, ?, ?, ?, ?, ?)) AS s (id, text, real, day, exact, at) ON m.id = s.id "
                       "WHEN MATCHED THEN UPDATE SET text = s.text, exact = -s.exact "
                       "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.text, s.real, s.day, s.exact, s.at)",
                       [(row[0], "merged", *row[2:]) for row in ROWS[:500]])
    wanted = [(row[0], "merged", *row[2:4], -row[4] if row[0] % 2 == 0 else row[4], row[5]) for row in ROWS[:500]]
    assert stored(cursor, "merged") == wanted
    cursor.execute("MERGE INTO merged m USING (SELECT id FROM merged WHERE id < ?) s ON m.id = s.id WHEN MATCHED THEN DELETE", 100)
    assert cursor.rowcount == 100, cursor.rowcount
    connection.rollback()
    assert stored(cursor, "merged") == []
    cursor.execute("DROP TABLE merged")
    connection.commit()


@test
def pyodbc_merge():
    merge(False)


@test
def pyodbc_fast_merge():
    merge(True)


@test
def pyodbc_row_counts():
    connection = pyodbc.connect(STRING, autocommit=True)
    cursor = table(connection, "counts")
    assert cursor.execute("INSERT INTO counts (id) VALUES (1), (2), (3)").rowcount == 3
    assert cursor.execute("INSERT INTO counts (id, text) VALUES (?, ?)", 4, "four").rowcount == 1
    try:
        cursor.execute("INSERT INTO counts (id) VALUES (?)", "five")
        raise AssertionError("text was stored as a number")
    except pyodbc.DataError as error:
        assert error.args[0] == "22018", error
    assert cursor.execute("SELECT count(*) FROM counts").fetchval() == 4
    cursor.execute("DROP TABLE counts")


@test
def pyodbc_large_values():
    connection = pyodbc.connect(STRING, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE large (text varchar, bytes varbinary)")
    text, data = "ä😀" * 400000, bytes(range(256)) * 4000
    cursor.execute("INSERT INTO large VALUES (?, ?)", text, data)
    row = cursor.execute("SELECT * FROM large").fetchone()
    assert row[0] == text and row[1] == data
    cursor.execute("DROP TABLE large")


@test
def pyodbc_fast_executemany_of_all_sorts():
    connection = pyodbc.connect(STRING, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE sorts (id INT AUTO_INCREMENT PRIMARY KEY, n INT, s VARCHAR(20), b VARBINARY(20), flag BIT, t TEXT)")
    cursor.fast_executemany = True
    rows = [(1, "ä😀", b"\0\1", True, "x" * 5000), (None, None, None, None, None), (-5, "", b"", False, "")]
    cursor.executemany("INSERT INTO sorts (n, s, b, flag, t) VALUES (?, ?, ?, ?, ?)", rows)
    got = cursor.execute("SELECT n, s, b, flag, t FROM sorts ORDER BY id").fetchall()
    assert [tuple(row) for row in got] == rows, got
    assert [row.id for row in cursor.execute("SELECT id FROM sorts ORDER BY id")] == [1, 2, 3]
    assert [row.type_name for row in cursor.columns("sorts", column="t")] == ["text"]
    cursor.execute("DROP TABLE sorts")


@test
def pyodbc_view_of_a_table():
    connection = pyodbc.connect(STRING, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE viewed (day DATE, n INT)")
    cursor.execute("INSERT INTO viewed VALUES ('2024-02-29', 1), ('2024-03-01', 2)")
    cursor.execute("CREATE VIEW the_view AS SELECT day, n FROM viewed WHERE n > 1")
    assert [tuple(row) for row in cursor.execute("SELECT * FROM the_view")] == [(datetime.date(2024, 3, 1), 2)]
    assert [row.table_name for row in cursor.tables("the_view", tableType="VIEW")] == ["the_view"]
    assert cursor.execute("UPDATE viewed SET n = n + 1 WHERE 1 = 0").rowcount == 0  # without a key, where none is needed
    cursor.execute("DROP TABLE IF EXISTS the_view")
    cursor.execute("DROP VIEW the_view")
    cursor.execute("DROP TABLE viewed CASCADE")


class PlainDialect(PyODBCConnector, default.DefaultDialect):
    """What SQLAlchemy does for any database."""
    name = "plain"
    supports_statement_cache = True


@test
def pyodbc_parameters_wider_than_what_they_stand_beside():
    """qty * 1.5: the value is not rounded to the column's type, and the result is described as what it is then."""
    cursor = pyodbc.connect(STRING, autocommit=True).cursor()
    cursor.execute("CREATE TABLE wide (qty integer, price decimal(10,2))")
    cursor.execute("INSERT INTO wide VALUES (3, 9.99)")
    expected = ((2, 6), (1.5, 4.5), (decimal.Decimal("1.155"), decimal.Decimal("3.465")), (None, None), (10**15, 3 * 10**15), (2, 6))
    for value, result in expected:
        assert cursor.execute("SELECT qty * ? FROM wide", value).fetchval() == result, value
        kind = cursor.description[0][1]
        assert result is None or kind is type(result), (value, kind)
    assert cursor.execute("SELECT price * ? FROM wide", decimal.Decimal("1.155")).fetchval() == decimal.Decimal("11.53845")
    assert cursor.execute("SELECT price * ? FROM wide", decimal.Decimal("2")).fetchval() == decimal.Decimal("19.98")
    cursor.execute("DROP TABLE wide")


def rows_of(cursor, *columns):
    return [tuple(getattr(row, column) for column in columns) for row in cursor.fetchall()]


@test
def pyodbc_catalog_of_a_new_table():
    """What a program reads of a table that it has made itself, whatever kind of catalog it is in."""
    connection = pyodbc.connect(STRING, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE facts (id integer NOT NULL, name varchar(30), day date, note text, PRIMARY KEY (id), UNIQUE (name))")
    cursor.execute("CREATE INDEX facts_day ON facts (day, name)")
    assert [row.column_name for row in cursor.primaryKeys("facts")] == ["id"]
    indexes = {}
    for row in cursor.statistics("facts", unique=False, quick=True).fetchall():
        if row.index_name is not None:
            indexes.setdefault((row.index_name, row.non_unique), []).append(row.column_name)
    assert all(name for name, _ in indexes), indexes
    assert sorted((non_unique, columns) for (_, non_unique), columns in indexes.items()) == [(0, ["id"]), (0, ["name"]), (1, ["day", "name"])], indexes
    assert ("facts_day", 1) in indexes, indexes
    unique = cursor.statistics("facts", unique=True, quick=True).fetchall()
    assert sorted(row.column_name for row in unique if row.index_name is not None) == ["id", "name"]
    cursor.columns("facts")
    columns = {row.column_name: row for row in cursor.fetchall()}
    assert [columns[name].column_def for name in ("id", "name", "day", "note")] == [None] * 4
    assert columns["name"].char_octet_length == 60 and columns["note"].char_octet_length == 131070
    cursor.execute("DROP TABLE facts")


@test
def pyodbc_long_bytes():
    """A column of a large object says so: programs that make buffers by a column's size would cut its values."""
    cursor = pyodbc.connect(STRING, autocommit=True).cursor()
    cursor.execute("CREATE TABLE longer (id integer, a blob, b long varbinary, c binary large object, d image)")
    cursor.columns("longer")
    kinds = [row.data_type for row in cursor.fetchall()]
    assert kinds[1:] == [pyodbc.SQL_LONGVARBINARY] * 4, kinds
    value = bytes(range(256)) * 400
    cursor.execute("INSERT INTO longer VALUES (1, ?, ?, NULL, X'')", value, value)
    row = cursor.execute("SELECT a, b, c, d, coalesce(c, X'01') FROM longer WHERE a = ? AND a = b", value).fetchone()
    assert tuple(row) == (value, value, None, b"", b"\1")
    assert {type_name.type_name for type_name in cursor.getTypeInfo(pyodbc.SQL_LONGVARBINARY).fetchall()} == {"blob"}
    assert cursor.execute("SELECT a FROM longer UNION ALL SELECT X'02' ORDER BY 1 DESC").fetchall()[0][0] == b"\2"
    cursor.execute("DROP TABLE longer")


@test
def pyodbc_names_differ_in_more_than_case():
    cursor = pyodbc.connect(STRING, autocommit=True).cursor()
    cursor.execute("CREATE TABLE Named (a integer)")
    for statement in ("CREATE TABLE named (b integer)", 'CREATE TABLE "NAMED" (b integer)', "CREATE TABLE named AS SELECT 1 AS b"):
        try:
            cursor.execute(statement)
            raise AssertionError(f"{statement}: both names would mean the same")
        except pyodbc.Error as error:
            assert error.args[0] == "42S01", error
    cursor.execute("CREATE TABLE IF NOT EXISTS NAMED (b integer)")
    cursor.execute("INSERT INTO named VALUES (1)")
    assert rows_of(cursor.execute("SELECT a FROM NaMeD"), "a") == [(1,)]
    cursor.execute("DROP TABLE NAMED")


@test
def pyodbc_parameters_of_char():
    """A value is found again by the parameter that stored it, blanks behind it or not."""
    cursor = pyodbc.connect(STRING, autocommit=True).cursor()
    cursor.execute("CREATE TABLE padded (id integer PRIMARY KEY, c char(5))")
    for number, value in enumerate(("ab   ", "abcde", "")):
        cursor.execute("INSERT INTO padded VALUES (?, ?)", number, value)
        assert rows_of(cursor.execute("SELECT id FROM padded WHERE c = ?", value), "id") == [(number,)]
        assert cursor.execute("UPDATE padded SET id = id WHERE c = ?", value).rowcount == 1
    assert rows_of(cursor.execute("SELECT id FROM padded WHERE c = ?", "abcdefgh"), "id") == []
    assert cursor.execute("SELECT CAST(? AS varchar(3))", "abcdef").fetchval() == "abc"
    for statement in ("UPDATE padded SET c = ? WHERE id = 1", "INSERT INTO padded VALUES (9, ?)"):
        try:
            cursor.execute(statement, "abcdef")
            raise AssertionError(f"{statement}: the value does not fit")
        except pyodbc.Error as error:
            assert error.args[0] == "22001", error
    cursor.execute("DROP TABLE padded")


@test
def sqlalchemy_core():
    registry.register("plain", __name__, "PlainDialect")
    engine = sqlalchemy.create_engine("plain://", creator=lambda: pyodbc.connect(STRING), module=pyodbc, future=True)
    things = sqlalchemy.Table("things", sqlalchemy.MetaData(), sqlalchemy.Column("id", sqlalchemy.Integer),
                              sqlalchemy.Column("name", sqlalchemy.String(20)), sqlalchemy.Column("price", sqlalchemy.Numeric(10, 2)))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.schema.CreateTable(things))
    with engine.begin() as connection:
        connection.execute(things.insert(), [{"id": i, "name": f"thing {i}", "price": decimal.Decimal(i)} for i in range(5)])
    with engine.connect() as connection:
        connection.execute(things.insert().values(id=5, name="not kept", price=None))
        connection.rollback()
        query = sqlalchemy.select(things.c.name, things.c.price).where(things.c.id > 2).order_by(things.c.id.desc())
        assert connection.execute(query).all() == [("thing 4", decimal.Decimal(4)), ("thing 3", decimal.Decimal(3))]
        assert connection.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(things)).scalar() == 5
    with engine.begin() as connection:
        connection.execute(sqlalchemy.schema.DropTable(things))


failed = 0
for function in tests:
    try:
        function()
    except Exception as error:
        failed += 1
        print(f"{function.__name__}: {type(error).__name__}: {error}")
print(f"{len(tests) - failed} passed, {failed} failed")
sys.exit(failed > 0)
