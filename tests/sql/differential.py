"""Random tables and queries: our rows against other engines'.

usage: differential.py --runner PROGRAM --config FILE --work FOLDER [--seconds N | --count N] [--seed N]
       [--combinations all|some|two|...] [--mysql-socket PATH] [--postgres CONNECTION]

Each round makes tables of hostile values, loads them alike into a memory catalog, an SQLite file, MariaDB (with
--mysql-socket) and DuckDB, and makes queries whose meaning is the same in Trino's dialect and DuckDB's: joins of
every kind, sub-queries, grouping by one set and several, set operations, recursive queries, three-valued logic, ORDER BY with LIMIT over all columns. DuckDB's
rows, where PostgreSQL and SQLite agree (oracles.py), become the expected rows of a .test file, in which each table comes from a source taken at random; the runner
runs the file in its combinations (push-down, spilling, threads, rules switched off). Some queries are written in
three parts, where a condition is true, false and unknown, which must add up to the whole. What fails stays in the
folder as a script that fails again. The seed is printed; the same seed gives the same rounds.

Left out, because the two engines differ by definition: division of integers and decimals, NaN and -0.0, casts of
floating-point numbers, sums of inexact numbers, text functions beyond ASCII.
"""
import argparse
import collections
import datetime
import decimal
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

import duckdb

import oracles
from values import TEXTS, cell

D = decimal.Decimal
ASCII = ["", "a", "A", "ab", "abc", "b ", " b", "xyz", "Hello", "12", "-7", "x_y", "100%"]
COLUMNS = [  # name, type of ours, of SQLite, of MariaDB, kind, values
    ("i", "integer", "INTEGER", "INT", "int", list(range(-3, 8))),
    ("n", "bigint", "INTEGER", "BIGINT", "big", [0, 1, -1, 2, 7, 2**31, -2**31 - 1, 2**53 + 1, 2**63 - 1, -2**63]),
    ("d", "decimal(10,2)", "DECIMAL(10,2)", "DECIMAL(10,2)", "dec",
     [D("0.00"), D("1.00"), D("-1.50"), D("2.25"), D("7.00"), D("99999999.99"), D("-99999999.99"), D("0.01")]),
    ("r", "double", "DOUBLE", "DOUBLE", "real", [0.0, 0.5, -2.25, 1.0, 3.0, 1000.75, -4.0, 7.0]),
    ("x", "double", "DOUBLE", "DOUBLE", "wide", [0.0, 1.0, -1.0, 1e308, -1e308, 1e-300, 9007199254740992.0, 0.1]),
    ("s", "varchar(20)", "TEXT", None, "text", TEXTS),
    ("u", "varchar(20)", "TEXT", None, "ascii", ASCII),
    ("t", "date", "DATE", "DATE", "date", [datetime.date(*v) for v in
     [(2024, 2, 29), (2024, 1, 31), (1970, 1, 1), (1969, 12, 31), (2000, 12, 31), (1000, 1, 1), (9999, 12, 30), (2024, 3, 1)]]),
    ("f", "boolean", "BOOLEAN", "BIT(1)", "bool", [True, False]),
    ("w", "timestamp(6)", "TIMESTAMP(6)", "DATETIME(6)", "moment", [datetime.datetime(*v) for v in
     [(2024, 2, 29, 23, 59, 59, 999999), (1970, 1, 1), (1969, 12, 31, 23, 59, 59, 999999), (2024, 1, 31, 12), (1000, 1, 1), (9999, 12, 30, 1, 2, 3, 4)]]),
    ("b", "varbinary", "BLOB", "VARBINARY(20)", "bytes", [b"", b"\0", b"\0\1", b"a", b"A", b"\xff", b"\xff\0", b"0123456789abcdef"]),
    ("g", "decimal(30,4)", None, "DECIMAL(30,4)", "huge",
     [D("0.0000"), D("1.0000"), D("-0.0001"), D("12345678901234567890123456.7890"), D("-12345678901234567890123456.7891"), D("2.2500")]),
    ("y", "tinyint", "TINYINT", "TINYINT", "tiny", [-128, 127, 0, 1, 2, -1]),
]
LITE = {c[0] for c in COLUMNS if c[2]}
STRICT = {"i", "n", "r", "x", "s", "u", "b", "y"}
COLLATIONS = ["utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_unicode_ci"]
NUMERIC = ("int", "big", "dec", "real", "wide", "huge", "tiny")


class Pair(str):
    """A piece of SQL, ours; .other is DuckDB's spelling of it."""
    other: str

    def __new__(cls, ours, other=None):
        self = super().__new__(cls, ours)
        self.other = ours if other is None else other
        return self


def fmt(template, *pieces):
    return Pair(template.format(*pieces), template.format(*[getattr(p, "other", p) for p in pieces]))


def join(separator, pieces):
    return Pair(separator.join(pieces), separator.join(getattr(p, "other", p) for p in pieces))


def literal(value, kind):
    if value is None:
        return "NULL"
    if kind in ("text", "ascii"):
        return "'" + value.replace("'", "''") + "'"
    if kind == "date":
        return f"DATE '{value.isoformat().zfill(10)}'"
    if kind == "bool":
        return "true" if value else "false"
    if kind == "moment":
        return f"TIMESTAMP '{value.isoformat(' ', 'microseconds')}'"
    if kind == "bytes":
        return Pair(f"X'{value.hex()}'", "'" + "".join(f"\\x{c:02x}" for c in value) + "'::BLOB")
    if kind in ("real", "wide"):
        return f"{value!r}e0" if "e" not in repr(value) else repr(value)
    if kind == "big" and value == -2**63:
        return "-9223372036854775808"
    return str(value)


def scattered(rng, kind, k):
    """A value of a wide range, for tables of many batches."""
    if kind == "tiny":
        return rng.randint(-128, 127)
    if kind == "huge":
        return D(rng.randint(-10**18, 10**18)) * 1000 + D("0.0000")
    if kind == "moment":
        return datetime.datetime(2000, 1, 1) + datetime.timedelta(microseconds=rng.randint(0, 10**14))
    if kind == "bytes":
        return f"{rng.randint(0, 1500)}".encode()
    if kind in ("int", "big"):
        return rng.randint(-2000, 2000) * (1 if kind == "int" else 4294967311)
    if kind == "dec":
        return D(rng.randint(-100000, 100000)) / 100 + D("0.00")
    if kind in ("real", "wide"):
        return rng.randint(-4000, 4000) * 0.25
    if kind in ("text", "ascii"):
        return f"{'abcdefghijkl' if k % 3 else ''}{rng.randint(0, 1500)}"
    if kind == "date":
        return datetime.date(2000, 1, 1) + datetime.timedelta(rng.randint(0, 3000))
    return rng.random() < 0.5


class Table:
    def __init__(self, rng, name, sources, big):
        self.name, self.sources, self.big = name, sources, big
        count = rng.choice([2500, 5000]) if big else rng.choice([0, 1, 3, 8, 12, 20, 20, 30, 40, 60])
        dense = rng.random()
        self.rows = [[k] + [None if rng.random() < 0.15 else scattered(rng, c[4], k) if big else rng.choice(c[5] if dense > 0.3 else c[5][:3])
                            for c in COLUMNS] for k in range(count)]
        self.collation = rng.choice(COLLATIONS)

    def values(self):
        kinds = ["int"] + [c[4] for c in COLUMNS]
        return join(", ", [fmt("({})", join(", ", [literal(v, k) for v, k in zip(row, kinds)])) for row in self.rows])

    def create(self, prefix, column):
        types = ", ".join(f"{c[0]} {c[column]}" for c in COLUMNS)
        return f"CREATE TABLE {prefix}{self.name} (k integer, {types})"

    def insert(self, prefix):
        return fmt(f"INSERT INTO {prefix}{self.name} VALUES {{}}", self.values()) if self.rows else None

    def load_sqlite(self, db):
        def value(v):
            if isinstance(v, datetime.datetime):
                return v.isoformat(" ", "microseconds")
            return str(v) if isinstance(v, D) else v.isoformat() if isinstance(v, datetime.date) else v
        plain = [k for k, c in enumerate(COLUMNS) if c[0] in LITE]
        db.execute(f"CREATE TABLE {self.name} (k INTEGER PRIMARY KEY, " + ", ".join(f"{COLUMNS[k][0]} {COLUMNS[k][2]}" for k in plain) + ")")
        strict = [k for k, c in enumerate(COLUMNS) if c[0] in STRICT]
        types = {"int": "INTEGER", "big": "INTEGER", "tiny": "INTEGER", "real": "REAL", "wide": "REAL", "bytes": "BLOB"}
        db.execute(f"CREATE TABLE {self.name}_s (k INTEGER PRIMARY KEY, " + ", ".join(
            f"{COLUMNS[k][0]} {types.get(COLUMNS[k][4], 'TEXT')}" for k in strict) + ") STRICT")
        for row in self.rows:
            db.execute(f"INSERT INTO {self.name} VALUES ({', '.join('?' * (len(plain) + 1))})", [row[0]] + [value(row[k + 1]) for k in plain])
            db.execute(f"INSERT INTO {self.name}_s VALUES ({', '.join('?' * (len(strict) + 1))})", [row[0]] + [row[k + 1] for k in strict])

    def mysql(self):
        types = []
        for c in COLUMNS:
            text = f"VARCHAR(20) COLLATE {self.collation}" if c[4] == "text" else "VARCHAR(20) CHARACTER SET latin1"
            types.append(f"{c[0]} {c[3] or text}")
        yield f"CREATE TABLE {self.name} (k INT PRIMARY KEY, {', '.join(types)}, KEY (s), KEY (i))"
        if self.rows:
            yield f"INSERT INTO {self.name} VALUES {self.values()}"


class Generator:
    def __init__(self, rng, tables):
        self.rng, self.tables, self.aliases = rng, tables, 0
        self.big = tables[0].big
        self.fixed = False  # no parameters: an expression is written twice
        self.nested = 0     # sub-queries around this place
        self.deepest = 1 if self.big else 2  # other engines run them once per row

    def pick(self, *choices):
        return self.rng.choice(choices)

    # a relation's columns: list of (Pair, kind)
    def table(self):
        table = self.rng.choice(self.tables)
        prefix, columns, suffix = self.rng.choice(table.sources)
        alias = f"q{self.aliases}"
        self.aliases += 1
        names = [("k", "int")] + [(c[0], c[4]) for c in COLUMNS if columns is None or c[0] in columns]
        return Pair(f"{prefix}{table.name}{suffix} {alias}", f"{table.name} {alias}"), [(Pair(f"{alias}.{n}"), k) for n, k in names]

    def values(self):
        alias = f"v{self.aliases}"
        self.aliases += 1
        kind = self.pick("int", "dec", "text", "date")
        pool = next(c[5] for c in COLUMNS if c[4] == kind)
        rows = [self.rng.choice(pool) for _ in range(self.rng.randint(1, 4))]
        if self.rng.random() < 0.4:
            rows.append(None)
        text = join(", ", [fmt("({}, {})", literal(v, kind), n) for n, v in enumerate(rows)])
        return fmt("(VALUES {}) " + alias + "(a, b)", text), [(Pair(f"{alias}.a"), kind), (Pair(f"{alias}.b"), "int")]

    def derived(self, depth):
        alias = f"w{self.aliases}"
        self.aliases += 1
        query, kinds = self.query(depth - 1)
        if self.rng.random() < 0.3:
            query = self.ordered(query, kinds, True)
        return fmt("({}) " + alias, query), [(Pair(f"{alias}.c{n}"), k) for n, k in enumerate(kinds)]

    def relation(self, depth):
        r = self.rng.random()
        if r < 0.12:
            return self.values()
        if r < 0.3 and depth > 0:
            return self.derived(depth)
        return self.table()

    def source(self, depth):
        text, columns = self.relation(depth)
        for _ in range(self.pick(0, 0, 0, 1, 1, 2) if depth > 0 else 0):
            other, more = self.relation(depth - 1)
            pairs = [(a, b) for a, k in columns for b, m in more if self.comparable(k, m)]
            if not pairs or (self.rng.random() < 0.05 and not self.big):
                if self.big:
                    return text, columns
                text = fmt("{} CROSS JOIN {}", text, other)
                columns = columns + more
                continue
            if self.big:
                pairs = [(a, b) for a, b in pairs if a.endswith(".k") or b.endswith(".k")]
                if not pairs:
                    return text, columns
            a, b = self.rng.choice(pairs)
            if a.endswith(".k") and b.endswith(".k") and self.rng.random() < 0.3 and " ON " not in text and " USING " not in text:
                kind = self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
                return fmt("{} " + kind + " {} USING (k)", text, other), [c for c in columns + more if not c[0].endswith(".k")]
            if self.rng.random() < 0.1 and not self.big:
                return fmt("{}, {}", text, other), columns + more
            if self.rng.random() < 0.15 and self.nested < self.deepest and " USING " not in text:
                return self.lateral(text, columns)
            sign = "=" if self.big else self.pick("=", "=", "=", "=", "IS NOT DISTINCT FROM", "<")
            condition = fmt("{} " + sign + " {}", a, b)
            columns = columns + more
            while self.rng.random() < 0.4:
                condition = fmt("{} AND {}", condition, self.boolean(columns, 1, joins=True))
            if self.rng.random() < 0.08 and self.nested < self.deepest:
                condition = fmt("{} AND {}", condition, self.subquery(columns))
            kind = self.pick("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
            text = fmt("{} " + kind + " {} ON {}", text, other, condition)
        return text, columns

    @staticmethod
    def comparable(a, b):
        text = ("text", "ascii")
        return a == b or (a in NUMERIC and b in NUMERIC and not {a, b} & {"big", "wide", "huge"}) or (a in text and b in text)

    def parameter(self, kind):
        """A constant beside something typed: now and then a marker (written out at the end, in textual order)."""
        value = self.constant(kind)
        if self.fixed or value == "NULL" or kind not in ("int", "text", "ascii", "date", "dec") or self.rng.random() < 0.8:
            return value
        if kind == "int":
            return Pair(f"\x01integer {value}\x02", value)
        text = value[1:-1].replace("''", "'") if kind in ("text", "ascii") else value.replace("DATE ", "").strip("'")
        return value if text != text.strip() else Pair(f"\x01varchar {text}\x02", value)

    def constant(self, kind):
        kind = {"total": "dec", "average": "real"}.get(kind, kind)
        pool = next(c[5] for c in COLUMNS if c[4] == kind)
        if self.rng.random() < 0.06:
            return Pair("NULL")
        return fmt("{}", literal(self.rng.choice(pool), kind))

    def value(self, columns, kind, depth):
        """An expression of the kind."""
        same = [c for c, k in columns if k == kind]
        r = self.rng.random()
        if depth <= 0 or r < 0.45:
            return self.rng.choice(same) if same and self.rng.random() < 0.8 else self.constant(kind)
        if r < 0.55:
            return fmt("CASE WHEN {} THEN {} ELSE {} END", self.boolean(columns, depth - 1), self.value(columns, kind, depth - 1), self.value(columns, kind, depth - 1))
        if r < 0.65:
            return fmt("COALESCE({}, {})", self.value(columns, kind, depth - 1), self.value(columns, kind, depth - 1))
        if r < 0.7:
            return fmt("NULLIF({}, {})", self.value(columns, kind, depth - 1), self.value(columns, kind, depth - 1))
        if r < 0.76 and self.nested < self.deepest:
            return self.scalar(columns, kind)
        return self.operation(columns, kind, depth - 1)

    def operation(self, columns, kind, depth):
        small = [c for c, k in columns if k == "int"] or [Pair("3")]
        if kind == "int":
            texts = [c for c, k in columns if k == "ascii"]
            choices = [fmt("({} + {})", self.rng.choice(small), self.rng.randint(-5, 5)), fmt("({} * {})", self.rng.choice(small), self.rng.randint(-3, 3)),
                       fmt("({} % {})", self.rng.choice(small), self.pick(2, 3, "(-2)")), fmt("abs({})", self.rng.choice(small)), fmt("(- {})", self.rng.choice(small)),
                       fmt("({} - {})", self.rng.choice(small), self.rng.choice(small))]
            if texts:
                choices += [Pair(f"length({texts[0]})"), Pair(f"strpos({texts[0]}, 'a')")]
            dates = [c for c, k in columns if k == "date"]
            if dates:
                choices += [fmt("EXTRACT({} FROM {})", self.pick("YEAR", "MONTH", "DAY", "QUARTER"), dates[0])]
            choices += [fmt("sign({})", self.rng.choice(small)),
                        Pair(f"bitwise_and({small[0]}, 5)", f"({small[0].other} & 5)"), fmt("CAST({} AS integer)", self.value(columns, "bool", 0))]
            if texts:
                choices += [fmt("TRY_CAST({} AS integer)", texts[0]), fmt("position('b' IN {})", texts[0])]
            if dates:
                choices += [Pair(f"day_of_week({dates[0]})", f"isodow({dates[0].other})"), Pair(f"week({dates[0]})", f"week({dates[0].other})"),
                            Pair(f"day_of_year({dates[0]})", f"dayofyear({dates[0].other})")]
            return self.rng.choice(choices)
        if kind == "ascii":
            a = self.value(columns, "ascii", depth)
            return self.pick(fmt("upper({})", a), fmt("lower({})", a), fmt("trim({})", a), fmt("substr({}, 2)", a), fmt("substr({}, 1, 2)", a),
                             fmt("({} || {})", a, self.value(columns, "ascii", 0)), fmt("replace({}, 'a', 'xy')", a), fmt("reverse({})", a), fmt("lpad({}, 4, '*-')", a), fmt("rpad({}, 3, '.')", a),
                             fmt("ltrim({})", a), fmt("CAST({} AS varchar)", self.value(columns, self.pick("dec", "bool", "date"), 0)), fmt("CAST({} AS varchar)", self.rng.choice(small)))
        if kind == "dec":
            return self.pick(fmt("({} + 1.50)", self.value(columns, "dec", 0)), fmt("({} * 2)", self.value(columns, "dec", 0)), fmt("abs({})", self.value(columns, "dec", 0)),
                             fmt("CAST({} AS decimal(10,2))", self.rng.choice(small)), fmt("(- {})", self.value(columns, "dec", 0)))
        if kind == "real":
            return self.pick(fmt("({} + {})", self.value(columns, "real", 0), self.value(columns, "real", 0)), fmt("({} * 0.5e0)", self.value(columns, "real", 0)),
                             fmt("CAST({} AS double)", self.rng.choice(small)), fmt("floor({})", self.value(columns, "real", 0)))
        if kind == "date":
            v = [c for c, k in columns if k == "date"] or [Pair("DATE '2024-01-31'")]
            unit = self.pick("DAY", "MONTH", "YEAR")
            return self.pick(Pair(f"({v[0]} - INTERVAL '1' {unit})", f"CAST({v[0].other} - INTERVAL '1' {unit} AS DATE)"),
                             Pair(f"date_trunc('month', {v[0]})", f"CAST(date_trunc('month', {v[0].other}) AS DATE)"),
                             *[fmt("CAST({} AS date)", c) for c, k in columns if k == "moment"],
                             Pair(f"last_day_of_month({v[0]})", f"last_day({v[0].other})"), Pair(f"date_trunc('week', {v[0]})", f"CAST(date_trunc('week', {v[0].other}) AS DATE)"))
        if kind == "bool":
            return self.boolean(columns, depth)
        if kind == "moment":
            v = self.value(columns, "moment", 0)
            unit = self.pick("hour", "minute", "second", "day", "month")
            return self.pick(fmt("date_trunc('" + unit + "', {})", v), fmt("({} - INTERVAL '1' " + self.pick("SECOND", "HOUR", "DAY", "MONTH") + ")", v))
        if kind == "huge":
            return self.pick(fmt("abs({})", self.value(columns, "huge", 0)), fmt("(- {})", self.value(columns, "huge", 0)))
        return self.rng.choice([c for c, k in columns if k == kind] or [self.constant(kind)])

    def boolean(self, columns, depth, joins=False):
        r = self.rng.random()
        if depth > 0 and r < 0.35:
            a, b = self.boolean(columns, depth - 1, joins), self.boolean(columns, depth - 1, joins)
            return self.pick(fmt("({} AND {})", a, b), fmt("({} OR {})", a, b), fmt("(NOT {})", a))
        if (depth > 1 and r < 0.45 or r < 0.03) and not joins:
            return self.subquery(columns)
        kind = self.pick(*[k for _, k in columns])
        if kind == "bool" and self.rng.random() < 0.5:
            return self.value(columns, "bool", 0)
        a = self.value(columns, kind, depth - 1)
        if a in ("NULL", "true", "false") or not any(c in a for c, _ in columns):
            a = self.rng.choice([c for c, k in columns if k == kind])
        r = self.rng.random()
        if kind in ("text", "ascii") and r < 0.25:
            return fmt("({} " + self.pick("LIKE", "LIKE", "NOT LIKE") + " {})", a, Pair(literal(self.pick("%", "_", "a%", "%a%", "%a", "_b%", "", "%😀", "a_b", "ä", "%é%"), "text")))
        if kind in ("text", "ascii") and r < 0.3:
            return fmt("({} LIKE {} ESCAPE '!')", a, Pair(literal(self.pick("!%", "a!_%", "%!%%", "!!%", "_!_b"), "text")))
        if r < 0.55:
            b = self.value(columns, kind, depth - 1)
            return fmt("({} " + self.pick("=", "<>", "<", "<=", ">", ">=") + " {})", a, self.constant(kind) if a == b else b)
        if r < 0.65:
            return fmt("({} IS " + self.pick("", "NOT ") + "NULL)", a)
        if r < 0.75:
            return fmt("({} " + self.pick("", "NOT ") + "BETWEEN {} AND {})", a, self.parameter(kind), self.parameter(kind))
        if r < 0.9:
            return fmt("({} " + self.pick("", "NOT ") + "IN ({}))", a, join(", ", [self.parameter(kind) for _ in range(self.rng.randint(1, 5))]))
        return fmt("({} IS " + self.pick("", "NOT ") + "DISTINCT FROM {})", a, self.value(columns, kind, 0))

    def correlated(self, columns):
        """FROM and WHERE of a sub-query that uses columns of the query around it, and the columns of its FROM."""
        source, inner = self.source(self.pick(0, 0, 0, 1))
        pairs = [(a, b) for a, k in columns for b, m in inner if self.comparable(k, m) and (not self.big or b.endswith(".k"))]
        mixed = inner + self.rng.sample(columns, min(len(columns), 4))
        conditions = []
        if pairs and (self.big or self.rng.random() < 0.7):
            a, b = self.rng.choice(pairs)
            conditions.append(fmt("{} " + ("=" if self.big else self.pick("=", "=", "=", "=", "IS NOT DISTINCT FROM", "<", "<>")) + " {}", b, a))
        while self.rng.random() < (0.4 if conditions else 0.8):
            conditions.append(self.boolean(inner if self.big and not pairs else mixed, self.pick(0, 1, 1, 2)))
        return fmt("{}{}", source, fmt(" WHERE {}", join(" AND ", conditions)) if conditions else Pair("")), inner

    def scalar(self, columns, kind):
        """A sub-query of one row as a value of the kind."""
        self.nested += 1
        try:
            rest, inner = self.correlated(columns)
            if kind in ("big", "wide") or kind not in ("int", "big", "dec", "real", "text", "ascii", "date", "moment", "huge", "tiny"):
                if kind != "big":
                    return self.constant(kind)
                return fmt("(SELECT {} FROM {})", self.pick(Pair("count(*)"), fmt("count({})", self.value(inner, inner[0][1], 0)), Pair("count(*) + 1")), rest)
            value = self.value(inner + columns[:2] if self.rng.random() < 0.2 else inner, kind, self.pick(0, 0, 1))
            if not any(c in value for c, _ in inner):
                return self.constant(kind)
            if self.rng.random() < 0.2:
                offset = self.pick("", "", " OFFSET 1")
                return Pair(f"(SELECT {value} AS c FROM {rest} ORDER BY 1{offset} LIMIT 1)", f"(SELECT {value.other} AS c FROM {rest.other} ORDER BY 1 LIMIT 1{offset})")
            aggregate = fmt(self.pick("min({})", "max({})"), value)
            if self.rng.random() < 0.2:
                aggregate = fmt("coalesce({}, {})", aggregate, self.constant(kind))
            return fmt("(SELECT {} FROM {})", aggregate, rest)
        finally:
            self.nested -= 1

    def exists(self, columns):
        rest, inner = self.correlated(columns)
        r = self.rng.random()
        if r < 0.1:
            return fmt("EXISTS (SELECT {} FROM {} GROUP BY 1 HAVING count(*) " + self.pick(">", "<", "=") + " 1)", self.rng.choice(inner)[0], rest)
        if r < 0.17:
            return fmt("EXISTS (SELECT count(*) FROM {} HAVING count(*) " + self.pick(">", "<", "=") + " " + self.pick("0", "1", "2") + ")", rest)
        if r < 0.25:
            other, more = self.correlated(columns)
            return fmt("EXISTS (SELECT 1 FROM {} UNION ALL SELECT 2 FROM {})", rest, other)
        return fmt("EXISTS (SELECT " + self.pick("1", "*") + " FROM {})", rest)

    def members(self, columns, kind):
        """The query of x IN (query), in the kind, or None."""
        rest, inner = self.correlated(columns)
        if kind not in [k for _, k in inner]:
            return None
        value = self.value(inner, kind, 0)
        r = self.rng.random()
        if r < 0.1:
            return fmt("SELECT DISTINCT {} FROM {}", value, rest)
        if r < 0.2 and kind in ("int", "dec", "text", "date"):
            return fmt("SELECT max({}) FROM {} GROUP BY {}", value, rest, self.rng.choice(inner)[0])
        if r < 0.25 and kind in ("int", "dec", "text", "date"):
            return fmt("SELECT min({}) FROM {}", value, rest)
        if r < 0.35:
            other = self.members(columns, kind)
            if other:
                return fmt("SELECT {} FROM {} " + self.pick("UNION", "UNION ALL", "EXCEPT", "INTERSECT") + " {}", value, rest, other)
        return fmt("SELECT {} FROM {}", value, rest)

    def lateral(self, text, columns):
        """text JOIN LATERAL (a query over its columns)"""
        alias = f"l{self.aliases}"
        self.aliases += 1
        self.nested += 1
        rest, inner = self.correlated(columns)
        self.nested -= 1
        kind = self.pick(*[k for _, k in inner])
        r = self.rng.random()
        if r < 0.3 and kind in ("int", "dec", "text", "ascii", "date"):
            body, kinds = fmt("SELECT count(*) AS c0, max({}) AS c1 FROM {}", self.value(inner, kind, 0), rest), ["big", kind]
        elif r < 0.4:
            body, kinds = fmt("SELECT DISTINCT {} AS c0 FROM {}", self.value(inner, kind, 0), rest), [kind]
        elif r < 0.5 and kind in [k for _, k in columns]:
            body, kinds = fmt("SELECT {} AS c0 UNION ALL SELECT {} FROM {}", self.rng.choice([c for c, k in columns if k == kind]), self.value(inner, kind, 0), rest), [kind]
        else:
            mixed = self.pick(*[k for _, k in columns])
            body, kinds = fmt("SELECT {} AS c0, {} AS c1 FROM {}", self.value(inner, kind, 1), self.value(columns, mixed, 1), rest), [kind, mixed]
        how = self.pick("CROSS JOIN LATERAL ({}) " + alias, "LEFT JOIN LATERAL ({}) " + alias + " ON TRUE")
        return fmt("{} " + how, text, body), columns + [(Pair(f"{alias}.c{n}"), k) for n, k in enumerate(kinds)]

    def subquery(self, columns):
        if self.nested >= self.deepest:
            return self.boolean(columns, 0)
        self.nested += 1
        text = self.correlated_test(columns) if self.rng.random() < 0.6 else self.plain_test(columns)
        self.nested -= 1
        return text

    def correlated_test(self, columns):
        r = self.rng.random()
        if r < 0.35:
            return fmt("(" + self.pick("", "NOT ") + "{})", self.exists(columns))
        kind = self.pick(*[k for _, k in columns])
        value = self.value(columns, kind, 0)
        members = self.members(columns, kind) if r < 0.8 else None
        if members and r < 0.65:
            return fmt("({} " + self.pick("", "NOT ") + "IN ({}))", value, members)
        if members and kind not in ("bool", "bytes", "text"):
            return fmt("({} " + self.pick("=", "<>", "<", "<=", ">", ">=") + " " + self.pick("ANY", "ALL") + " ({}))", value, members)
        kind = self.pick(*[k for k in ("int", "dec", "text", "ascii", "date", "big") if k in [m for _, m in columns]] or ["int"])
        return fmt("({} " + self.pick("=", "<", ">=", "<>") + " {})", self.value(columns, kind, 0), self.scalar(columns, kind))

    def plain_test(self, columns):
        source, inner = self.source(0)
        where = fmt(" WHERE {}", self.boolean(inner, 1)) if self.rng.random() < 0.6 else Pair("")
        r = self.rng.random()
        kinds = [k for _, k in columns if k in [m for _, m in inner]]
        if r < 0.6 and kinds:
            kind = self.rng.choice(kinds)
            return fmt("({} " + self.pick("", "NOT ") + "IN (SELECT {} FROM {}{}))", self.value(columns, kind, 0), self.value(inner, kind, 0), source, where)
        if r < 0.75:
            return fmt("(" + self.pick("", "NOT ") + "EXISTS (SELECT 1 FROM {}{}))", source, where)
        kind = self.pick(*[k for k in ("int", "dec", "text", "ascii", "date") if k in [m for _, m in inner]] or ["int"])
        return fmt("({} " + self.pick("=", "<", ">=", "<>") + " (SELECT " + self.pick("min", "max") + "({}) FROM {}{}))", self.value(columns, kind, 0), self.value(inner, kind, 0), source, where)

    def aggregate(self, columns):
        kind = self.pick(*[k for _, k in columns])
        value = self.value(columns, kind, 1)
        choices = [(Pair("count(*)"), "big"), (fmt("count({})", value), "big"), (fmt("count(DISTINCT {})", value), "big"), (fmt("min({})", value), kind), (fmt("max({})", value), kind)]
        if kind == "tiny":
            choices += [(fmt("sum({})", value), "big")]
        if kind in ("int", "dec", "real"):
            total = {"int": "big", "dec": "total", "real": "real"}[kind]
            choices += [(fmt("sum({})", value), total), (fmt("sum(DISTINCT {})", value), total)]
        if kind == "int":
            choices += [(fmt("avg({})", value), "average")]
        if kind == "bool":
            choices += [(fmt("bool_and({})", value), "bool"), (fmt("bool_or({})", value), "bool"), (Pair(f"count_if({value})", f"count(CASE WHEN {value.other} THEN 1 END)"), "big")]
        text, result = self.rng.choice(choices)
        if self.rng.random() < 0.2:
            text = fmt("{} FILTER (WHERE {})", text, self.boolean(columns, 1, joins=True))
        return text, result

    def grouped(self, depth):
        source, columns = self.source(depth)
        self.fixed = True
        keys = [(self.value(columns, k, self.pick(0, 0, 1)), k) for k in self.rng.sample([k for _, k in columns], min(len(columns), self.pick(0, 1, 1, 2)))]
        self.fixed = False
        keys = [(t, k) for t, k in keys if any(c in t for c, _ in columns)]
        sets = keys and self.rng.random() < 0.3
        outputs = keys + [self.aggregate(columns) for _ in range(self.rng.randint(1, 3))]
        if sets and self.rng.random() < 0.5:
            marked = self.rng.sample([t for t, _ in keys], self.rng.randint(1, len(keys)))
            outputs += [(fmt("grouping({})", join(", ", marked)), "big")]
        text = fmt("SELECT {} FROM {}", join(", ", [fmt("{} AS c" + str(n), t) for n, (t, _) in enumerate(outputs)]), source)
        if self.rng.random() < 0.5:
            text = fmt("{} WHERE {}", text, self.boolean(columns, 2))
        if keys:
            text = fmt("{} GROUP BY {}", text, join(", ", [str(n + 1) if self.rng.random() < 0.7 else t for n, (t, _) in enumerate(keys)]) if not sets else self.sets([t for t, _ in keys]))
            if self.rng.random() < 0.3:
                value, kind = self.aggregate(columns)
                plain = [(t, k) for t, k in keys if (t, k) in columns]
                if plain and self.rng.random() < 0.3:
                    text = fmt("{} HAVING {}", text, self.subquery(plain))
                elif kind in ("int", "dec", "text", "ascii", "date") and self.rng.random() < 0.6:
                    text = fmt("{} HAVING {} " + self.pick("<", ">=", "<>") + " {}", text, value, self.constant(kind))
                else:
                    text = fmt("{} HAVING count(*) > {}", text, self.rng.randint(0, 2))
        return text, [k for _, k in outputs]

    def sets(self, keys):
        """GROUP BY with several sets of the keys, which DuckDB spells alike."""
        form = self.pick("ROLLUP", "CUBE", "SETS", "SETS", "product")
        if form == "SETS":
            sets = [self.rng.sample(keys, self.rng.randint(0, len(keys))) for _ in range(self.rng.randint(1, 4))]
            # A key that stands in no set cannot be selected, though DuckDB does so where all sets are empty.
            sets[-1] += [key for key in keys if not any(key is other for some in sets for other in some)]
            return fmt("GROUPING SETS ({})", join(", ", [fmt("({})", join(", ", some)) for some in sets]))
        if form == "product":
            return fmt("{}, " + self.pick("ROLLUP", "CUBE") + " ({})", keys[0], join(", ", keys))
        return fmt(form + " ({})", join(", ", keys))

    def plain(self, depth, kinds=None):
        source, columns = self.source(depth)
        wanted = kinds or [self.pick(*[k for _, k in columns]) for _ in range(self.rng.randint(1, 4))]
        outputs = [self.value(columns, k, self.pick(0, 0, 1, 2)) for k in wanted]
        typed = {"huge": "decimal(38,4)", "tiny": "tinyint", "bytes": "varbinary", "moment": "timestamp(6)", "int": "integer", "big": "bigint", "dec": "decimal(12,2)", "real": "double", "wide": "double", "text": "varchar", "ascii": "varchar", "date": "date", "bool": "boolean"}
        if kinds:
            outputs = [Pair(f"CAST({t} AS {typed[k]})", f"CAST({t.other} AS {typed[k].replace('(6)', '')})") for t, k in zip(outputs, kinds)]
        distinct = "DISTINCT " if self.rng.random() < 0.2 else ""
        text = fmt("SELECT " + distinct + "{} FROM {}", join(", ", [fmt("{} AS c" + str(n), t) for n, t in enumerate(outputs)]), source)
        if self.rng.random() < 0.7:
            text = fmt("{} WHERE {}", text, self.boolean(columns, 3))
        return text, wanted

    def query(self, depth):
        r = self.rng.random()
        if r < 0.3:
            return self.grouped(depth)
        if r < 0.45:
            kinds = [self.pick("int", "big", "text", "ascii", "date", "bool", "dec", "huge", "tiny", "moment") for _ in range(self.rng.randint(1, 3))]
            left, right = self.plain(depth, kinds), self.plain(depth, kinds)
            text = fmt("{} " + self.pick("UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL") + " {}", left[0], right[0])
            if self.rng.random() < 0.25:
                text = fmt("({}) " + self.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL") + " {}", text, self.plain(0, kinds)[0])
            return text, kinds
        return self.plain(depth)

    def ordered(self, text, kinds, limited):
        """Sorted by all columns, so that the rows of a LIMIT are the same everywhere."""
        keys = [f"{n + 1}{self.pick('', ' DESC')}{self.pick('', ' NULLS FIRST', ' NULLS LAST')}" for n in self.rng.sample(range(len(kinds)), len(kinds))]
        text = fmt("{} ORDER BY " + ", ".join(keys), text)
        if not limited:
            return text
        limit, offset = self.rng.choice([0, 1, 2, 5, 100, 3000]), self.rng.choice([0, 0, 1, 3, 2047])
        return Pair(text + (f" OFFSET {offset}" if offset else "") + f" LIMIT {limit}", f"{text.other} LIMIT {limit} OFFSET {offset}")

    def with_query(self):
        body, kinds = self.query(1)
        names = [(f"c{n}", k) for n, k in enumerate(kinds)]
        one, two = ([(Pair(f"{a}.{n}"), k) for n, k in names] for a in ("x1", "x2"))
        column = self.rng.randrange(len(kinds))
        text = fmt("WITH w AS ({}) SELECT {} AS c0, {} AS c1 FROM w x1 LEFT JOIN w x2 ON {} = {} WHERE {}", body, one[0][0], self.aggregate_free(two),
                   one[column][0], two[column][0], self.boolean(one + two, 1))
        return text, [kinds[0], self.last_kind]

    def recursive(self):
        """A walk over a table: a few steps, or until there is nothing new."""
        first, columns = self.table()
        second, more = self.table()
        small = [c for c, k in more if k == "int"]
        everything = self.rng.random() < 0.4
        link = fmt("{} = r.a", self.pick(*small)) if self.rng.random() < 0.8 else fmt("{} IS NOT DISTINCT FROM r.a", self.pick(*small))
        text = fmt("WITH RECURSIVE r(a, d) AS (SELECT CAST({} AS integer), 0 FROM {} WHERE {} UNION" + (" ALL" if everything else "") + " SELECT CAST({} AS integer), r.d + " + ("1" if everything else self.pick("0", "1"))
                   + " FROM r JOIN {} ON {} WHERE r.d < " + str(self.rng.randint(1, 2 if everything else 4)) + " AND {}) SELECT a AS c0, d AS c1, count(*) AS c2 FROM r GROUP BY 1, 2",
                   self.pick(*[c for c, k in columns if k == "int"]), first, self.boolean(columns, 1, joins=True), self.pick(*small), second, link, self.boolean(more, 1, joins=True))
        return text, ["int", "int", "big"]

    def aggregate_free(self, columns):
        self.last_kind = self.pick(*[k for _, k in columns])
        return self.value(columns, self.last_kind, 1)

    def partitioned(self):
        """The rows where a condition holds, where it does not and where it is unknown: together all rows."""
        source, columns = self.source(1)
        kinds = [self.pick(*[k for _, k in columns]) for _ in range(self.rng.randint(1, 3))]
        outputs = join(", ", [fmt("{} AS c" + str(n), self.value(columns, k, 1)) for n, k in enumerate(kinds)])
        whole = fmt("SELECT {} FROM {}", outputs, source)
        condition = self.boolean(columns, 3)
        parts = [f"{whole} WHERE {test}" for test in (condition, f"NOT ({condition})", f"({condition}) IS NULL")]
        return Pair(" UNION ALL ".join(parts), whole.other), kinds

    def windowed(self):
        """Functions over windows, those whose results do not depend on the order of equal rows."""
        source, columns = self.source(1)
        outputs = [self.rng.choice(columns)]
        for _ in range(self.rng.randint(1, 2)):
            partition = [c for c, _ in self.rng.sample(columns, min(len(columns), self.pick(0, 1, 1, 2)))]
            order = [fmt("{}" + self.pick("", " DESC") + self.pick(" NULLS FIRST", " NULLS LAST"), c) for c, _ in self.rng.sample(columns, min(len(columns), self.pick(0, 1, 1, 2)))]
            value, kind = self.rng.choice(columns)
            calls = [(Pair("rank()"), "big"), (Pair("dense_rank()"), "big"), (Pair("count(*)"), "big"), (fmt("count({})", value), "big"), (fmt("min({})", value), kind), (fmt("max({})", value), kind)]
            if kind in ("int", "tiny", "dec"):
                calls += 3 * [(fmt("sum({})", value), "total" if kind == "dec" else "big")]
            call, result = self.rng.choice(calls)
            frame = Pair("")
            if "rank" not in call:
                if self.rng.random() < 0.2:
                    call = fmt("{} FILTER (WHERE {})", call, self.boolean(columns, 1, joins=True))
                if order:
                    low, high = self.rng.randint(0, 2), self.rng.randint(0, 3)
                    frame = Pair(self.pick("", "", "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "RANGE CURRENT ROW",
                                           f"GROUPS BETWEEN {low} PRECEDING AND {high} FOLLOWING", f"GROUPS BETWEEN {low + 1} PRECEDING AND {low} PRECEDING", f"GROUPS BETWEEN {low} FOLLOWING AND UNBOUNDED FOLLOWING"))
            pieces = ([fmt("PARTITION BY {}", join(", ", partition))] if partition else []) + ([fmt("ORDER BY {}", join(", ", order))] if order else []) + ([frame] if frame else [])
            outputs.append((fmt("{} OVER ({})", call, join(" ", pieces)), result))
        text = fmt("SELECT {} FROM {}", join(", ", [fmt("{} AS c" + str(n), t) for n, (t, _) in enumerate(outputs)]), source)
        if self.rng.random() < 0.4:
            text = fmt("{} WHERE {}", text, self.boolean(columns, 2))
        return text, [k for _, k in outputs]

    def statement(self):
        """A whole statement: (Pair, kinds of its columns, are its rows in order)."""
        while True:  # DuckDB 1.5.5 moves what IN asks for below an OFFSET
            text, kinds, ordered = self.attempt()
            if " OFFSET " not in text.other.replace(" OFFSET 0", "") or " IN (SELECT" not in text:
                return text, kinds, ordered

    def attempt(self):
        self.aliases = 0
        if self.rng.random() < 0.08:
            return *self.partitioned(), False
        if self.rng.random() < 0.05 and not self.big:
            return *self.recursive(), False
        if self.rng.random() < 0.1:
            return *self.windowed(), False
        text, kinds = self.with_query() if self.rng.random() < 0.08 and not self.big else self.query(2)
        if self.rng.random() < 0.35:
            return self.ordered(text, kinds, self.rng.random() < 0.6), kinds, True
        if self.rng.random() < 0.1:
            return fmt("SELECT count(*) FROM ({} LIMIT " + str(self.rng.randint(0, 20)) + ") z", text), ["big"], True
        return text, kinds, False


def markers(text):
    """Markers become ?; their values in textual order."""
    pieces = text.split("\x01")
    params = [piece.split("\x02")[0] for piece in pieces[1:]]
    return pieces[0] + "".join("?" + piece.split("\x02", 1)[1] for piece in pieces[1:]), params


def agreed(others, tally, text, kinds, rows, ordered):
    """Do the other engines that understand the query give the same rows?"""
    formed = None
    for other in others:
        theirs = other.answer(text.other, kinds, ordered)
        if theirs is None:
            continue
        formed = formed or [oracles.form(row, kinds) for row in rows]
        if not oracles.same(formed, theirs, ordered):
            tally["disputed"] += 1
            if os.environ.get("DIFFERENTIAL_SHOW"):
                print(f"{other.name} differs from DuckDB: {len(theirs)} rows, {len(rows)} rows\n  {text.other}", file=sys.stderr)
            return False
        tally[other.name] += 1
    return True


def write_round(path, generator, oracle, others, tally, tables, count):
    lines = []
    for table in tables:
        lines += ["statement ok", table.create("mem.default.", 1), ""]
        if table.rows:
            lines += ["statement ok", table.insert("mem.default."), ""]
    made = refused = 0
    while made < count:
        text, kinds, ordered = generator.statement()
        try:
            rows = oracle.execute(text.other).fetchmany(20001)
        except duckdb.Error as error:
            refused += 1
            if os.environ.get("DIFFERENTIAL_SHOW"):
                print(f"refused: {error}\n  {text.other}", file=sys.stderr)
            if refused > 50 * count:
                raise SystemExit(f"the other engine refuses everything: {error}")
            continue
        if len(rows) > 3000 or (not rows and generator.rng.random() < 0.85) or (len(rows) == 1 and generator.rng.random() < 0.5):
            continue
        if not agreed(others, tally, text, kinds, rows, ordered):
            continue
        text, params = markers(text)
        lines += [f"param {p}" for p in params]
        lines += [f"query {'?' * len(kinds)} {'nosort' if ordered else 'rowsort'}", text, "----"]
        lines += ["\t".join(cell(v) for v in row) for row in rows] + [""]
        made += 1
    for table in tables:
        lines += ["statement ok", f"DROP TABLE mem.default.{table.name}", ""]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def load(args, rng, folder, rounds):
    """Tables with the same rows everywhere; the configuration's text."""
    with open(args.config, encoding="utf-8") as file:
        config = json.load(file)
    sources = [("mem.default.", None, ""), ("mem.default.", None, ""), ("lite.main.", LITE, ""), ("lite.main.", STRICT, "_s")]
    if args.mysql_socket:
        sources += [("mysql_catalog.differential.", None, "")] * 2
    path = os.path.join(folder, "differential.db")
    if os.path.exists(path):
        os.remove(path)
    config["catalogs"]["lite"] = {"type": "sqlite", "path": path}
    oracle = duckdb.connect(config={"threads": 1})
    lite = sqlite3.connect(path)
    mysql = ["DROP DATABASE IF EXISTS differential", "CREATE DATABASE differential CHARACTER SET utf8mb4", "USE differential",
             "SET sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"]
    big = rounds % 5 == 4
    tables = [Table(rng, f"t{n}", sources, big) for n in range(3)]
    for table in tables:
        oracle.execute(table.create("", 1).replace("varbinary", "blob").replace("timestamp(6)", "timestamp"))
        if table.rows:
            oracle.execute(table.insert("").other)
        table.load_sqlite(lite)
        mysql += table.mysql()
    lite.commit()
    lite.close()
    if args.mysql_socket:
        subprocess.run(["mariadb", "--default-character-set=utf8mb4", f"--socket={args.mysql_socket}", "-u", "root"],
                       input=";\n".join(mysql) + ";\n", text=True, check=True)
    name = os.path.join(folder, "differential.json")
    with open(name, "w", encoding="utf-8") as file:
        json.dump(config, file)
    os.chmod(name, 0o600)
    return name, oracle, tables


def combinations(args, rounds):
    if args.combinations != "some":
        return args.combinations
    return "two" if rounds % 3 else "all"


def main():
    parser = argparse.ArgumentParser()
    for option in ("--runner", "--config", "--work"):
        parser.add_argument(option, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--combinations", default="all", help="of the runner; some: all of them for every third round, else two")
    parser.add_argument("--count", type=int, help="queries in all, instead of a time")
    parser.add_argument("--mysql-socket")
    parser.add_argument("--postgres", help="connection string of a database that may be written to")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    print(f"seed {args.seed}", flush=True)
    end = time.monotonic() + args.seconds
    others = [oracles.Sqlite()] + ([oracles.Postgres(args.postgres)] if args.postgres else [])
    tally = collections.Counter()
    rounds = failed = queries = 0
    while rounds == 0 or (queries < args.count if args.count else time.monotonic() < end):
        rng = random.Random(args.seed * 1000003 + rounds)
        config, oracle, tables = load(args, rng, args.work, rounds)
        for other in others:
            other.load(tables)
        script = os.path.join(args.work, f"round-{args.seed}-{rounds}.test")
        write_round(script, Generator(rng, tables), oracle, others, tally, tables, args.queries)
        run = subprocess.run([args.runner, "--config", config, "--combinations", combinations(args, rounds), script], capture_output=True, text=True)
        queries += args.queries
        if run.returncode:
            failed += 1
            print(f"round {rounds} (--seed {args.seed}), script {script}:\n{run.stdout[-6000:]}{run.stderr}", flush=True)
        else:
            os.remove(script)
        rounds += 1
    print(f"{rounds} rounds of {args.queries} queries, {failed} failed; " + ", ".join(f"{name} {n}" for name, n in sorted(tally.items())))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
