"""Other engines that answer the same query: what they agree on is expected of ours.

DuckDB's rows are the expected ones (differential.py). PostgreSQL and SQLite answer too where the query is one that
they understand in the same sense; a query about whose rows they do not agree is left out and counted: two engines that
differ cannot both be right, and which of them is wrong is not ours to guess.

Each oracle has load(tables) and answer(sql, kinds, ordered) -> rows in the form of form(), or None where it cannot say.
"""
import collections
import datetime
import decimal
import re
import sqlite3

D = decimal.Decimal
SQLITE_KINDS = {"int", "big", "real", "text", "ascii", "bytes", "tiny", "bool"}
# Columns whose SQLite form would be another type: decimals, dates, moments.
SQLITE_FOREIGN = re.compile(r"\bq\d+\.[dgtw]\b|\bDATE '|\bTIMESTAMP '|CAST\(|\bavg\(")


def form(row, kinds):
    """A row as a hashable tuple: exact numbers whatever the engine's type for them, doubles to 12 digits."""
    return tuple(value(v, k) for v, k in zip(row, kinds))


def value(v, kind):
    if v is None:
        return None
    if kind == "bool":
        return bool(v)
    if isinstance(v, bool):
        return int(v)
    if isinstance(v, (bytes, bytearray, memoryview)):
        return bytes(v)
    if isinstance(v, float) and kind in ("int", "big", "tiny") and v.is_integer():
        return D(int(v)) if v else D(0)  # PostgreSQL's sign()
    if isinstance(v, float):
        return "%.12g" % (v + 0.0)
    if isinstance(v, (int, D)):
        if kind in ("real", "wide", "average"):
            return "%.12g" % (float(v) + 0.0)
        return D(v).normalize() if v else D(0)
    if isinstance(v, datetime.datetime):
        return v.isoformat(" ")
    return v.isoformat() if isinstance(v, datetime.date) else v


def same(one, other, ordered):
    return one == other if ordered else collections.Counter(one) == collections.Counter(other)


def nulls_last(sql):
    """Says what the others take for granted: PostgreSQL and SQLite have defaults of their own."""
    return re.sub(r"(ORDER BY )([^()]*?)(?= LIMIT|\)|$)", lambda m: m[1] + ", ".join(
        key if "NULLS" in key else key + " NULLS LAST" for key in m[2].split(", ")), sql)


class Postgres:
    """A database of a PostgreSQL server with UTF-8 and byte order ("C"), so that text sorts by code point."""
    name = "PostgreSQL"
    types = {"double": "double precision", "tinyint": "smallint", "varbinary": "bytea", "blob": "bytea"}

    def __init__(self, address):
        import psycopg
        self.errors = psycopg.Error
        self.connection = psycopg.connect(address, autocommit=True)
        self.connection.execute("SET statement_timeout = '20s'")

    def translate(self, sql):
        sql = re.sub(r"'((?:\\x[0-9a-f]{2})*)'::BLOB", lambda m: "'\\x%s'::bytea" % m[1].replace("\\x", ""), sql)
        for ours, theirs in self.types.items():
            sql = re.sub(r"\b%s\b(?! precision)" % ours, theirs, sql)
        return nulls_last(sql)

    def load(self, tables):
        self.connection.execute("DROP SCHEMA IF EXISTS differential CASCADE")
        self.connection.execute("CREATE SCHEMA differential")
        self.connection.execute("SET search_path = differential")
        for table in tables:
            self.connection.execute(self.translate(table.create("", 1)))
            if table.rows:
                self.connection.execute(self.translate(table.insert("").other), prepare=False)

    def answer(self, sql, kinds, ordered):
        try:
            rows = self.connection.execute(self.translate(sql), prepare=False).fetchall()
        except self.errors:
            return None  # another idea of types, or an overflow
        return [form(row, kinds) for row in rows]


class Sqlite:
    """SQLite, for queries over integers, doubles and text only: its other types are conventions of ours."""
    name = "SQLite"

    def __init__(self):
        self.connection = None

    def load(self, tables):
        if self.connection:
            self.connection.close()
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("PRAGMA case_sensitive_like = ON")
        for table in tables:
            types = table.create("", 1).replace("varchar(20)", "TEXT").replace("double", "REAL").replace("varbinary", "BLOB")
            self.connection.execute(types)
            plain = [[None if v is None else str(v) if isinstance(v, (D, datetime.date)) else v for v in row] for row in table.rows]
            if plain:
                self.connection.executemany("INSERT INTO %s VALUES (%s)" % (table.name, ",".join("?" * len(plain[0]))), plain)
        self.steps = 0
        self.connection.set_progress_handler(self.tick, 1000000)

    def tick(self):
        self.steps += 1
        return self.steps > 200  # a join of thousands of rows without an index

    def answer(self, sql, kinds, ordered):
        if set(kinds) - SQLITE_KINDS or SQLITE_FOREIGN.search(sql):
            return None
        self.steps = 0
        try:
            rows = self.connection.execute(nulls_last(sql)).fetchall()
        except sqlite3.Error:
            return None
        return [form(row, kinds) for row in rows]
