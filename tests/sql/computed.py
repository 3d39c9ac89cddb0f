"""New values that a MySQL server computes, against the same ones computed here.

usage: computed.py DRIVER CONFIG CATALOG SOCKET [COUNT [SEED]]

DRIVER is libtributary.so, CATALOG one of CONFIG that writes to the server of SOCKET. Two tables have the same hostile rows: in the
one without a key `UPDATE t SET c = expression` can only be handed over (or is refused), in the one with a key it is computed
here (push_down = 'off') and written by the key. For each row both must store the same or fail with the same SQLSTATE. The list
below is tried whole, then COUNT random expressions, of which some may be refused.
"""
import random
import re
import subprocess
import sys

import pyodbc

SCHEMA = "computed"
ENDS = {"t": 8, "s": 16, "m": 24, "i": 32, "b": 64, "n": 32}
UNSIGNED = {"tu": 8, "iu": 32, "bu": 64}
TEXTS = ["''", "'a'", "'ä'", "'ten or so '", "'   '", "NULL", "'A'", "'ß%_'", "'0123456789'"]
COLUMNS = {
    "t": ("TINYINT", None), "s": ("SMALLINT", None), "m": ("MEDIUMINT", None), "i": ("INT", None), "b": ("BIGINT", None),
    "n": ("INT NOT NULL", None), "tu": ("TINYINT UNSIGNED", None), "iu": ("INT UNSIGNED", None), "bu": ("BIGINT UNSIGNED", None),
    "d": ("DECIMAL(10,2)", ["0", "NULL", "99999999.99", "-99999999.99", "0.01", "-0.05", "12.34", "-1.00"]),
    "e": ("DECIMAL(38,10)", ["0", "NULL", "9" * 28 + ".9999999999", "-" + "9" * 28 + ".9999999999", "0.0000000001", "1.5"]),
    "u": ("DECIMAL(8,3) UNSIGNED", ["0", "NULL", "99999.999", "0.001", "1.500"]),
    "x": ("DOUBLE", ["0", "NULL", "1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "0.1", "-2.5", "9007199254740993"]),
    "y": ("FLOAT", ["0", "NULL", "3.4e38", "-3.4e38", "1e-45", "0.1", "16777216"]),
    "v": ("VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", TEXTS + ["'😀'"]),
    "w": ("VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci", TEXTS),
    "p": ("VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", TEXTS + ["'😀'"]),
    "l": ("LONGTEXT CHARACTER SET utf8mb4", TEXTS),
    "c": ("CHAR(5) CHARACTER SET utf8mb4", ["''", "'a'", "'ab  '", "NULL"]),
    "k": ("ENUM('a', 'b')", ["'a'", "'b'", "NULL"]),
    "o": ("BIT(1)", ["0", "1", "NULL"]),
    "q": ("BIT(9)", ["0", "511", "NULL"]),
    "a": ("YEAR", ["1901", "2155", "NULL"]),
    "cw": ("CHAR(8) CHARACTER SET latin1", ["'x'", "''", "NULL", "'12345678'"]),
    "hd": ("DATETIME(3)", ["'2024-02-29 01:02:03.004'", "NULL", "'0000-00-00 00:00:00'", "'2024-00-10 00:00:00'"]),
    "hs": ("DATETIME(0)", ["'1999-12-31 23:59:59'", "NULL"]),
    "ht": ("TIMESTAMP(6) NULL", ["'2024-02-29 01:02:03.004005'", "NULL", "'0000-00-00 00:00:00'"]),
    "hu": ("TIMESTAMP(6) NULL", ["'1970-01-01 00:00:01'", "NULL"]),
    "hh": ("DATE", ["'1000-01-01'", "'9999-12-31'", "NULL"]),
    "h": ("DATE", ["'2024-02-29'", "NULL", "'0000-00-00'"]),
    "r": ("VARBINARY(6)", ["''", "x'00ff'", "NULL"]),
    "z": ("INT GENERATED ALWAYS AS (i % 100) VIRTUAL", []),
}
ROWS = 12

# SET column = expression; refused: the reason why the source does not do it
COMPUTED = """
i = i + 1 | i = i - 1 | i = 1 - i | i = -i | i = i * 2 | i = i * i | i = i * -1 | n = n + 1 | n = NULLIF(n, 0)
i = i + 1 - 1 | i = i * 2 + i | i = i + n * 2 | i = i * (n + 1) | n = n * 2 - n | i = i - t * b | i = (i + 1) * (t + 1) | t = t * (i - 1) - (b + 1) | l = v || CAST(i + 1 AS varchar) | i = (i - 5) * 3 + 2 | i = -(-i) | i = 2147483647 + i - 2147483647 | b = i + 1 - 1
t = t + 1 | t = t * t | t = -t | t = t + 100 - 100 | s = s + 1 | s = s - t | s = s * 2 + s | m = m + 1 | m = m - 1 | m = m * 2 - 1
b = b + 1 | b = b - 1 | b = -b | b = b * 2 | b = b * b | b = b + b | b = b - b | b = i - b | b = b - i | i = b - b | b = b * -1 | b = 0 - b | b = b + 1 - 1 | b = 0 - (b - 1) | i = b + 1 | t = b | t = i + 1 | b = t * 1000
tu = tu + 1 | tu = tu - 1 | tu = tu - 5 + 5 | iu = iu + 1 | iu = iu - 1 | iu = iu - 5 + 10 | iu = i | i = iu | i = iu - 1 | iu = 0 - i
bu = bu + 1 | bu = bu - 1 | bu = bu * 2 | bu = bu - 1 + 1 | b = bu | bu = b | bu = b + 1 | iu = bu - 1 | bu = bu + iu | b = iu + tu | b = iu * iu
i = i / 2 | i = i % 7 | b = b / 3 | b = b % 10 | t = t / -3 | i = COALESCE(i, 0) + 1 | i = COALESCE(i + 1, 0) | b = COALESCE(iu, b, -1) | i = COALESCE(t, i)
i = CASE WHEN i > 0 THEN i + 1 ELSE i - 1 END | i = CASE WHEN i < 0 THEN i * 2 WHEN t IS NULL THEN 7 ELSE i + 1 - 1 END | b = CASE WHEN v = 'a' THEN b + 1 WHEN w LIKE 'A%' THEN 0 ELSE iu END
i = CASE WHEN v <> 'a' AND p IN ('a', 'ä') OR NOT (w > 'a') THEN 1 ELSE 2 END | i = IF(o, i + 1, i) | i = CASE WHEN o THEN 1 WHEN NOT o THEN 2 END
d = d + 1 | d = d - 0.01 | d = d * 1.1 | d = d * 2 | d = d * d | d = d + 0.005 | d = d + i | d = i | d = i * 1.005 | d = b | d = -d | d = d * -0.5
u = u * 0.5 | u = u - 1 | u = d | d = u | d = u * 1.0001 | i = d | i = d * 1.5 | i = d + 0.5 | t = d | b = e | iu = d * 10 | d = e | e = d * 3.3333333333
d = COALESCE(d, 0) + 1 | d = CASE WHEN d > 0 THEN d * 1.1 ELSE i END | e = i + b + 0.5 | e = e + 1 | e = e - 0.5 | e = 2 * e | e = COALESCE(e + 1, e) | e = e + d | d = d * e | bu = CAST(b AS decimal(19,0)) + CAST(b AS decimal(19,0)) | d = CAST(b AS decimal(19,0)) * CAST(b AS decimal(19,0)) | d = COALESCE(d, i, 1.5) | i = i * 1.5 | t = t * 2.5
x = x + 1 | x = x - 1e0 | x = x * 2 | x = x * x | x = -x + 1 | x = x * 0.1e0 | x = i | x = b | x = i + x | x = COALESCE(x, 0e0) | x = CASE WHEN x > 0 THEN x * 2 ELSE 0 END
y = y * REAL '2' | y = y + y | y = y | x = y
v = v || 'x' | v = 'ä' || v | v = v || v | v = concat(v, '-', w, p) | w = w || 'é' | w = w || 'ł' | w = p | p = w || '😀' | l = l || v || w | v = l | v = w
v = CAST(i AS varchar) | v = v || CAST(i AS varchar) | v = COALESCE(v, w, '?') | v = CASE WHEN v = 'a' THEN 'b' ELSE v || '!' END | l = CAST(b + 1 AS varchar)
v = v || '          ' | p = p || '     ' | w = COALESCE(w, '') || ' '
i = abs(i) | b = abs(b) | t = abs(t) | b = abs(i) + 1 | i = abs(i + 1) - 1 | i = mod(i, 7) | i = greatest(i, t, 0) | i = least(i, n) + 1 | b = greatest(iu, b)
hh = h | h = hh | h = COALESCE(h, DATE '2024-01-01') | h = COALESCE(h, hh) | h = CASE WHEN h > DATE '2000-01-01' THEN hh ELSE h END | hd = h | hd = hd | hs = h
hs = TIMESTAMP '2024-01-01 00:00:00' | hd = CASE WHEN hs < hd THEN hd ELSE TIMESTAMP '2000-01-01 00:00:00.123' END | i = CASE WHEN h > DATE '2000-01-01' THEN 1 WHEN hd IS NULL THEN 2 ELSE i END
hu = ht | ht = COALESCE(ht, hu) | n = CASE WHEN h IS NOT NULL THEN 7 ELSE n END
cw = c | c = cw | c = c | l = c || cw || v | cw = c, c = 'new' | v = c | v = v || c | v = cw || '!' | v = CASE WHEN c = 'a' THEN 'b' ELSE 'c' END
o = NOT o | o = o | r = r | i = i + n | i = n + i * 2 | i = z + 1 | n = COALESCE(i, 0)
i = i + 1, b = b + 1, d = d * 1.1, v = v || 'x' | i = i + 1, b = i | b = i, i = i + 1 | i = b, b = t, t = 5 | v = w, w = 'new' | w = 'new', v = w | n = n + 1, i = 5
"""
# the same arithmetic where rows are found
CONDITIONS = ["CAST(b AS decimal(19,0)) + CAST(b AS decimal(19,0)) > 0", "CAST(b AS decimal(19,0)) * CAST(b AS decimal(19,0)) > 0",
              "CAST(b AS decimal(19,0)) - CAST(i AS decimal(19,0)) < 0", "CAST(b AS decimal(19,0)) + 1.5 > 0", "d + i > 0"]
REFUSED = {
    "i = b, b = i": "depend on each other",
    "i = t, t = s, s = i": "depend on each other",
    "i = z, b = 1": "generated column",
    "l = concat(v, w, CAST(i + 1 AS varchar))": "where another is NULL",
    "b = b - b + 1": "difference",
    "i = CASE WHEN i + 1 > 5 THEN 1 ELSE 2 END": "a condition may raise",
    "i = 100 / i": "may raise",
    "i = x": "",
    "d = x": "",
    "x = d": "",
    "x = x * x * x": "",
    "e = e * e": "may raise",
    "i = mod(i, n)": "may raise",
    "v = upper(v)": "no rule",
    "k = v": "",
    "v = COALESCE(v, c)": "",
    "c = c || 'x'": "",
    "hs = hd": "",
    "hd = ht": "",
    "v = k": "",
    "q = q + 1": "",
    "i = q": "",
    "a = a + 1": "",
    "a = i": "",
    "i = CAST(random() * 10 AS integer)": "another value at each call",
    "v = CAST(v AS varchar(3))": "no rule",
    "x = CAST(v AS double)": "",
    "i = i + (SELECT 1 FROM {other} WHERE false)": "more than the table",
}


NUMBERS = {"integer": ["t", "s", "m", "i", "b", "n", "tu", "iu", "z"], "exact": ["bu", "d", "u"]}


def number(draw, kind, depth):
    """An expression of integers, or with decimals."""
    if depth == 0 or draw.random() < 0.2:
        if draw.random() < 0.6:
            return draw.choice(NUMBERS["exact"] if kind == "exact" and draw.random() < 0.6 else NUMBERS["integer"])
        plain = draw.choice(["0", "1", "-1", "2", "100", "127", "-32768", "2147483647", "-2147483648", "9223372036854775807"])
        return draw.choice(["0.5", "-1.05", "0.001", "10.0"]) if kind == "exact" and draw.random() < 0.5 else plain
    a, b, c = (number(draw, kind, depth - 1) for _ in range(3))
    return draw.choice([f"({a} + {b})", f"({a} - {b})", f"({a} * {b})", f"({a} - {b})", f"(-{a})", f"coalesce({a}, {b})", f"nullif({a}, {b})",
                        f"CASE WHEN {condition(draw)} THEN {a} WHEN {condition(draw)} THEN {b} ELSE {c} END"])


def condition(draw):
    a, b = draw.choice("tsibn"), draw.choice(["0", "1", "-1", "100", "i", "b", "NULL"])
    plain = draw.choice([f"{a} {draw.choice(['=', '<>', '<', '>='])} {b}", f"{a} IS NULL", f"{a} IN (1, 0, {b})", "o", "v = 'a'", "w <> 'A'", f"{a} BETWEEN -5 AND 5"])
    return plain if draw.random() < 0.6 else f"NOT ({plain}) {draw.choice(['AND', 'OR'])} {condition(draw)}"


def text(draw, depth):
    if depth == 0 or draw.random() < 0.3:
        return draw.choice(["v", "w", "p", "l", "c", "cw", "'x'", "'ł '", "CAST(i AS varchar)", "''"])
    a, b = text(draw, depth - 1), text(draw, depth - 1)
    return draw.choice([f"({a} || {b})", f"concat({a}, {b}, '-')", f"coalesce({a}, {b})", f"CASE WHEN {condition(draw)} THEN {a} ELSE {b} END"])


def assignment(draw):
    kind = draw.choice(["integer", "integer", "integer", "exact", "text"])
    if kind == "text":
        return f"{draw.choice('vwpl')} = {text(draw, 3)}"
    return f"{draw.choice(['t', 's', 'm', 'i', 'b', 'n', 'tu', 'iu', 'bu', 'd', 'u'])} = {number(draw, kind, 3)}"


def ends(bits, signed):
    if not signed:
        return ["0", "NULL", str(2**bits - 1), "1", str(2**bits - 2), "4", "9", str(2**(bits - 1))]
    top = 2**(bits - 1)
    return ["0", "NULL", str(top - 1), str(-top), "1", "-1", str(top - 2), str(1 - top), str(2**(bits // 2)), "7"]


def make_tables(admin):
    rows = []
    values = {name: list(column[1] or ()) for name, column in COLUMNS.items()}
    values.update({name: ends(bits, True) for name, bits in ENDS.items()}, **{name: ends(bits, False) for name, bits in UNSIGNED.items()})
    values["n"].remove("NULL")
    stored = [name for name in COLUMNS if name != "z"]
    for i in range(ROWS):
        # each column begins at another of its values, so that NULLs and ends of types meet all others
        rows.append(f"({i}, " + ", ".join(values[name][(i + 3 * j) % len(values[name])] for j, name in enumerate(stored)) + ")")
    columns = ", ".join(f"{name} {column[0]}" for name, column in COLUMNS.items())
    script = f"SET NAMES utf8mb4; SET sql_mode = 'NO_ENGINE_SUBSTITUTION'; DROP DATABASE IF EXISTS {SCHEMA}; CREATE DATABASE {SCHEMA}; USE {SCHEMA};\n"
    for table, key in (("bare", ""), ("keyed", " PRIMARY KEY")):
        script += f"CREATE TABLE {table} (id INT NOT NULL{key}, {columns}) ENGINE = InnoDB;\n"
        script += f"INSERT INTO {table} (id, {', '.join(stored)}) VALUES {', '.join(rows)};\n"
        script += f"CREATE TABLE long_{table} (id INT NOT NULL{key}, l LONGTEXT); INSERT INTO long_{table} VALUES (0, REPEAT('x', @@max_allowed_packet DIV 2 + 1));\n"
    subprocess.run(admin, input=script.encode(), check=True)


def outcome(cursor, sql):
    """What becomes of the row: its values, or the SQLSTATE."""
    try:
        found = cursor.execute(sql).rowcount
    except pyodbc.Error as e:
        return e.args[0], e.args[1]
    table, row = sql.split()[1], sql.split()[-1]
    names = ", ".join(re.findall(r"(\w+) = ", sql[:sql.rindex(" WHERE id = ")]))
    return found, tuple(cursor.execute(f"SELECT {names} FROM {table} WHERE id = {row}").fetchone())


def main():
    driver, config, catalog, socket = sys.argv[1:5]
    count, seed = int(sys.argv[5]) if len(sys.argv) > 5 else 40, int(sys.argv[6]) if len(sys.argv) > 6 else 20260101
    draw = random.Random(seed)
    make_tables(["mariadb", "--no-defaults", f"--socket={socket}", "-u", "root"])
    link = f"Driver={driver};Config={config};Catalog={catalog};Schema={SCHEMA}"
    there, here = pyodbc.connect(link, autocommit=False), pyodbc.connect(link, autocommit=False)
    handed, local = there.cursor(), here.cursor()
    local.execute("SET SESSION push_down = 'off'")
    wrong = compared = raised = refused = 0
    listed = [a.strip() for line in COMPUTED.strip().splitlines() for a in line.split(" | ")]
    for n, assignments in enumerate(listed + [assignment(draw) for _ in range(count)]):
        states = set()
        for row in range(ROWS):
            got = outcome(handed, f"UPDATE {catalog}.{SCHEMA}.bare SET {assignments} WHERE id = {row}")
            wanted = outcome(local, f"UPDATE {catalog}.{SCHEMA}.keyed SET {assignments} WHERE id = {row}")
            there.rollback(), here.rollback()
            if n >= len(listed) and got[0] == "HYC00" and wanted[0] != "HYC00":
                refused += 1
                break
            compared += 1
            raised += isinstance(wanted[0], str)
            same = got[0] == wanted[0] and (isinstance(got[0], str) or got[1] == wanted[1])
            # a text may be too long and have characters that the column has not: one of the two is said
            same = same or {got[0], wanted[0]} == {"22001", "22021"}
            if not same and (got[0], wanted[0]) not in states:
                states.add((got[0], wanted[0]))
                wrong += 1
                print(f"SET {assignments}, row {row}:\n  there {got}\n  here  {wanted}")
    for condition in CONDITIONS:
        got, wanted = (c.execute(f"SELECT count(*) FROM {catalog}.{SCHEMA}.keyed WHERE {condition}").fetchone()[0] for c in (handed, local))
        if got != wanted:
            wrong += 1
            print(f"WHERE {condition}: {got} rows there, {wanted} here")
    for cursor, table in ((handed, "long_bare"), (local, "long_keyed")):  # more than the server takes at once
        state, message = outcome(cursor, f"UPDATE {catalog}.{SCHEMA}.{table} SET l = l || l WHERE id = 0")
        cursor.connection.rollback()
        if state != "54000" or "max_allowed_packet" not in message:
            wrong += 1
            print(f"{table}: {state} {message}")
    for assignments, reason in REFUSED.items():
        sql = f"UPDATE {catalog}.{SCHEMA}.bare SET {assignments}".replace("{other}", f"{catalog}.{SCHEMA}.keyed")
        state, message = outcome(handed, sql + " WHERE id = 0")
        there.rollback()
        if state != "HYC00" or reason not in message:
            wrong += 1
            print(f"SET {assignments}: not refused with '{reason}': {state} {message}")
    print(f"{compared} compared, {raised} of them errors, {wrong} wrong; {refused} of {count} random ones refused (seed {seed})")
    assert raised > 100, "the rows are not hostile enough"
    return wrong > 0


sys.exit(main())
