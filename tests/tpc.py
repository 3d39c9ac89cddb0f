#!/usr/bin/env python3
"""Runs the queries of TPC-DS or TPC-H through the driver and compares the answers with DuckDB's.

usage: tpc.py tpcds|tpch --driver LIBRARY --work FOLDER [--sf 0.01] [--from mem,csv] [--queries 01,14a]
              [--set NAME=VALUE]... [--seconds N] [--plan-ms N] [--verbose]

The data is made by DuckDB's generator and written as CSV files below --work once; `csv` reads those, `mem`
copies them into memory tables first. Queries are tests/NAME/queries/q*.sql in the dialect of the product; DuckDB
gets the same text. Compared are, as multisets of typed values, the answers without the last LIMIT; with it, the
values of the columns that ORDER BY names, in order, and that the rows are among those of the whole answer.
Numbers that one side has as double agree to nine digits, or to the last digit of the other side's decimal.

Each set of queries runs in a process of its own, so that a crash or a hang costs one query. Needs pyodbc and the
Python package duckdb with its extensions inside (1.1.3).
"""
import argparse
import datetime
import decimal
import json
import math
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {"INTEGER": "integer", "BIGINT": "bigint", "VARCHAR": "varchar", "DATE": "date", "DOUBLE": "double"}


# ---------------------------------------------------------------- data

def reference(options):
    """A DuckDB with the data, generated at first use."""
    import duckdb
    os.makedirs(options.work, exist_ok=True)
    path = os.path.join(options.work, f"{options.name}-{options.sf}.duckdb")
    fresh = not os.path.exists(path)
    connection = duckdb.connect(path + ".new" if fresh else path, read_only=not fresh)
    if fresh:
        connection.execute(f"LOAD {options.name}")
        connection.execute(f"CALL {'dsdgen' if options.name == 'tpcds' else 'dbgen'}(sf={options.sf})")
        connection.close()
        os.rename(path + ".new", path)
        connection = duckdb.connect(path, read_only=True)
    return connection


def tables_of(connection):
    out = {}
    rows = connection.execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
                              "ORDER BY table_name, column_index").fetchall()
    for table, column, kind in rows:
        out.setdefault(table, {})[column] = TYPES.get(kind, kind.lower())
    return out


def write_files(options):
    """The tables as CSV files; returns the folder and the columns of each."""
    connection = reference(options)
    tables = tables_of(connection)
    folder = os.path.join(options.work, f"{options.name}-{options.sf}")
    os.makedirs(folder, exist_ok=True)
    for table in tables:
        path = os.path.join(folder, table + ".csv")
        if os.path.exists(path):
            continue
        connection.execute(f"COPY {table} TO '{path}.new' (HEADER, DELIMITER ',', NULLSTR '')")
        os.rename(path + ".new", path)
    connection.close()
    return folder, tables


def configuration(options):
    folder, tables = write_files(options)
    described = {t: {"path": t + ".csv", "columns": columns} for t, columns in tables.items()}
    path = os.path.join(options.work, f"{options.name}-{options.sf}.json")
    with open(path, "w") as out:
        json.dump({"settings": {"connector_path": os.path.dirname(options.driver), "metastore": ":memory:"},
                   "catalogs": {"csv": {"type": "lake", "path": folder, "header": "yes", "null_text": "", "tables": described},
                                "mem": {"type": "memory"}}}, out)
    odbc = os.path.join(options.work, "odbc")
    os.makedirs(odbc, exist_ok=True)
    with open(os.path.join(odbc, "odbcinst.ini"), "w") as out:
        out.write(f"[Tributary]\nDriver = {options.driver}\nThreading = 0\n")
    open(os.path.join(odbc, "odbc.ini"), "w").close()
    os.environ["ODBCSYSINI"] = odbc
    os.environ["ODBCINI"] = os.path.join(odbc, "odbc.ini")
    return path, tables


def connect(options, source):
    import pyodbc
    config, tables = configuration(options)
    settings = "LoginTimeout=120;" + "".join(f"{s};" for s in options.set)
    cursor = pyodbc.connect(f"DRIVER=Tributary;Config={config};{settings}", autocommit=True).cursor()
    if source == "mem":
        for table in tables:
            cursor.execute(f'CREATE TABLE mem."default".{table} AS SELECT * FROM csv."default".{table}')
    cursor.execute(f'USE {source}."default"')
    return cursor


# ---------------------------------------------------------------- comparing

def canonical(value):
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()[:19].replace("T00:00:00", "")
    if isinstance(value, str):
        return value
    return value


def near(a, b):
    """Two numbers of which at least one is floating, or decimals of different scales."""
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return a == b
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    allowed = 1e-9 * max(abs(x), abs(y)) + 1e-12
    for value in (a, b):
        if isinstance(value, decimal.Decimal):
            allowed = max(allowed, 0.5001 * 10.0 ** value.as_tuple().exponent)
    return abs(x - y) <= allowed


def rows_near(a, b, exact):
    return all(x == y if e else near(x, y) for x, y, e in zip(a, b, exact))


def exact_columns(ours, theirs, count):
    """Columns in which no value is floating and the scales agree."""
    def kind(value):
        if isinstance(value, decimal.Decimal):
            return ("decimal", value.as_tuple().exponent)
        return type(value).__name__
    out = []
    for c in range(count):
        kinds = [{kind(r[c]) for r in rows if r[c] is not None} for rows in (ours, theirs)]
        both = kinds[0] | kinds[1]
        out.append("float" not in both and len(both) <= 1)
    return out


def families(ours, theirs, count):
    """A column whose kinds of values differ beyond what the dialects explain."""
    groups = {"int": "number", "float": "number", "Decimal": "number", "str": "text", "bool": "boolean"}
    for c in range(count):
        kinds = [{groups[type(r[c]).__name__] for r in rows if r[c] is not None} for rows in (ours, theirs)]
        if kinds[0] and kinds[1] and kinds[0] != kinds[1]:
            return f"column {c + 1}: {kinds[0]} and {kinds[1]}"
    return None


def differ_multiset(ours, theirs):
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, DuckDB has {len(theirs)}"
    if not ours:
        return None
    count = len(ours[0])
    if count != len(theirs[0]):
        return f"{count} columns, DuckDB has {len(theirs[0])}"
    wrong = families(ours, theirs, count)
    if wrong:
        return wrong
    row, near_one = not_among(ours, theirs, count)
    return row and f"row {row} is not in DuckDB's answer" + (f"; near: {near_one}" if near_one else "")


def not_among(some, rows, count):
    """The first of some that has no partner of its own among rows, and one that is like it; or None twice."""
    exact = exact_columns(some, rows, count)
    groups = {}
    for row in rows:
        groups.setdefault(tuple(repr(v) for v, e in zip(row, exact) if e), []).append(row)
    for row in some:
        group = groups.get(tuple(repr(v) for v, e in zip(row, exact) if e), [])
        at = next((i for i, other in enumerate(group) if rows_near(row, other, exact)), None)
        if at is None:
            return row, group[0] if group else None
        group.pop(at)
    return None, None


def order_columns(text, names):
    """Positions of the output columns that the last ORDER BY begins with."""
    found = re.search(r"\nORDER BY\n((?:  .*\n?)+)", text)
    out = []
    names = [n.lower() for n in names]
    for item in (found.group(1).split(",\n") if found else []):
        item = re.sub(r"( ASC| DESC)?( NULLS (FIRST|LAST))?\s*$", "", item.strip()).lower()
        if item.isdigit():
            out.append(int(item) - 1)
        elif names.count(item) == 1:
            out.append(names.index(item))
        else:
            break
    return out


def differ_ordered(ours, theirs, keys):
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if not all(near(a[k], b[k]) for k in keys):
            return f"row {i + 1} in order: {[a[k] for k in keys]}, DuckDB has {[b[k] for k in keys]}"
    return None


def fetch(cursor, text):
    cursor.execute(text)
    return [d[0] for d in cursor.description], [tuple(canonical(v) for v in row) for row in cursor.fetchall()]


def compare(cursor, connection, text):
    """None, or what differs; and the rows and seconds of the query as it stands."""
    whole = re.sub(r"\nLIMIT \d+\s*$", "\n", text)
    theirs = connection.execute(whole)
    theirs = [tuple(canonical(v) for v in row) for row in theirs.fetchall()]
    began = time.monotonic()
    names, limited = fetch(cursor, text)
    seconds = time.monotonic() - began
    ours = fetch(cursor, whole)[1] if whole != text else limited
    wrong = differ_multiset(ours, theirs)
    if wrong is None and whole != text:
        first = [tuple(canonical(v) for v in row) for row in connection.execute(text).fetchall()]
        wrong = f"{len(limited)} rows with LIMIT, DuckDB has {len(first)}" if len(first) != len(limited) else None
        wrong = wrong or differ_ordered(limited, first, order_columns(text, names))
        if wrong is None and limited:
            row = not_among(limited, ours, len(names))[0]
            wrong = row and f"row {row} is in the limited answer only"
    elif wrong is None:
        wrong = differ_ordered(ours, theirs, order_columns(text, names))
    return wrong, len(limited), seconds


def planning_ms(cursor, text, wanted):
    """The processor time of EXPLAIN, of all threads: the best of three, of ten if it is above what is wanted."""
    best = math.inf
    for attempt in range(10):
        if attempt >= 3 and best * 1000 <= wanted:
            break
        began = time.process_time()
        cursor.execute("EXPLAIN " + text).fetchall()
        best = min(best, time.process_time() - began)
    return best * 1000


# ---------------------------------------------------------------- processes

def query_text(options, name):
    with open(os.path.join(HERE, options.name, "queries", f"q{name}.sql")) as file:
        return file.read().rstrip().rstrip(";") + "\n"


def work(options, source, names):
    """In a child: a line of JSON per query."""
    cursor = connect(options, source)
    connection = reference(options)
    for name in names:
        print(json.dumps({"query": name, "begun": True}), flush=True)
        result = {"query": name}
        try:
            text = query_text(options, name)
            wrong, rows, seconds = compare(cursor, connection, text)
            result.update(wrong=wrong, rows=rows, seconds=seconds, plan_ms=planning_ms(cursor, text, options.plan_ms))
            if wrong is None and result["plan_ms"] > options.plan_ms:
                result["wrong"] = f"planning took {result['plan_ms']:.0f} ms"
        except Exception as error:  # the driver's message is the finding
            result["wrong"] = f"error: {error}"
        print(json.dumps(result), flush=True)


def child(options, source, names, results):
    """Runs names in one process; returns those that it did not get to."""
    command = [sys.executable, os.path.abspath(__file__)] + sys.argv[1:] + ["--child", source, "--queries", ",".join(names)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    begun, done = None, 0
    timer = None
    import threading
    try:
        while True:
            timer = threading.Timer(options.seconds, process.kill)
            timer.start()
            line = process.stdout.readline()
            timer.cancel()
            if not line:
                break
            result = json.loads(line)
            begun = result["query"]
            if not result.get("begun"):
                report(options, source, result, results)
                begun = None
                done += 1
    finally:
        timer.cancel()
        process.kill()
        process.wait()
    if begun is not None:
        report(options, source, {"query": begun, "wrong": f"no answer (status {process.returncode})"}, results)
        done += 1
    elif done < len(names):
        report(options, source, {"query": names[done], "wrong": f"not begun (status {process.returncode})"}, results)
        done += 1
    return names[done:]


def report(options, source, result, results):
    results.append(result)
    if result.get("wrong"):
        print(f"FAIL {options.name} {result['query']} from {source}: {result['wrong']}", flush=True)
    elif options.verbose:
        print(f"pass {options.name} {result['query']} from {source}: {result['rows']} rows, {result['seconds']:.2f} s, "
              f"planned in {result['plan_ms']:.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["tpcds", "tpch"])
    parser.add_argument("--driver", required=True, type=os.path.abspath)
    parser.add_argument("--work", required=True, type=os.path.abspath)
    parser.add_argument("--sf", default="0.01")
    parser.add_argument("--from", dest="sources", default="mem,csv")
    parser.add_argument("--queries")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=60, help="for one query")
    parser.add_argument("--plan-ms", type=float, default=50)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = os.path.join(HERE, options.name, "queries")
    names = options.queries.split(",") if options.queries else sorted(
        f[1:-4] for f in os.listdir(folder) if f.startswith("q") and f.endswith(".sql"))
    if options.child:
        configuration(options)
        work(options, options.child, names)
        return 0
    configuration(options)  # makes the data before anything is timed
    failed = 0
    for source in options.sources.split(","):
        results, left = [], names
        while left:
            left = child(options, source, left, results)
        wrong = sum(1 for r in results if r.get("wrong"))
        good = [r for r in results if not r.get("wrong")]
        failed += wrong
        print(f"{options.name} sf {options.sf} from {source}: {len(good)} agree, {wrong} do not; "
              f"{sum(1 for r in good if r['rows'])} with rows; {sum(r['seconds'] for r in good):.1f} s in all, "
              f"planning at most {max([r['plan_ms'] for r in good], default=0):.0f} ms", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
