"""What one process changes, another sees: cached descriptions, lists and statistics, in memory and in the metastore.

usage: shared_metadata.py DRIVER TRIBUTARY CONNECTORS FOLDER   Ends with N passed, N failed.
"""
import json
import os
import sqlite3
import subprocess
import sys
import time

import pyodbc

driver, tributary, connectors, folder = map(os.path.abspath, sys.argv[1:5])
os.makedirs(folder, exist_ok=True)
database, config, metastore = (os.path.join(folder, name) for name in ("shared.db", "shared.json", "shared-metastore.db"))
for path in (database, metastore, metastore + "-wal", metastore + "-shm"):
    if os.path.exists(path):
        os.remove(path)
sqlite3.connect(database).execute("VACUUM")
with open(config, "w", encoding="utf-8") as file:
    json.dump({"settings": {"connector_path": connectors, "metastore": metastore},
               "catalogs": {"lite": {"type": "sqlite", "path": database, "mode": "readwrite", "metadata_ttl": 3600}}}, file)
LOOK = 0.2  # seconds; the metastore is looked at every 50 ms at most
passed = failed = 0


def elsewhere(*statements):
    """Statements in a process of their own, which ends."""
    done = subprocess.run([tributary, "query", "--config", config, "--format", "csv", "-"], text=True, input=";\n".join(statements),
                          capture_output=True, timeout=60)
    if done.returncode:
        raise SystemExit(f"{statements}: {done.stderr}")
    time.sleep(LOOK)


def check(what, got, wanted):
    global passed, failed
    if got == wanted:
        passed += 1
    else:
        failed += 1
        print(f"{what}: {got!r}, not {wanted!r}")


def columns(cursor, table):
    cursor.execute(f"SELECT * FROM lite.main.{table}")
    names = [c[0] for c in cursor.description]
    cursor.fetchall()
    return names


def described(cursor, table):
    return [row.column_name for row in cursor.columns(catalog="lite", schema="main", table=table)]


def tables(cursor):
    return sorted(row.table_name for row in cursor.tables(catalog="lite", schema="main"))


def state_of(action):
    try:
        action()
    except pyodbc.Error as error:
        return error.args[0]
    return "no error"


def estimate(cursor):
    """What SHOW STATS says of the number of rows."""
    return [row[4] for row in cursor.execute("SHOW STATS FOR lite.main.t").fetchall()][-1]


connection = pyodbc.connect(f"Driver={driver};Config={config};Catalog=lite", autocommit=True)
cursor = connection.cursor()
elsewhere("CREATE TABLE lite.main.t (a INT)", "CREATE TABLE lite.main.other (z INT)")
check("first", columns(cursor, "t"), ["a"])
check("another spelling", columns(cursor, "T"), ["a"])
check("lists", tables(cursor), ["other", "t"])
check("columns", described(cursor, "t"), ["a"])

elsewhere("ALTER TABLE lite.main.t ADD COLUMN b VARCHAR(5)")
check("a column more", columns(cursor, "t"), ["a", "b"])
check("a column more, in another spelling", columns(cursor, "T"), ["a", "b"])
check("described", described(cursor, "t"), ["a", "b"])

prepared = connection.cursor()
prepared.execute("SELECT count(b) FROM lite.main.t WHERE a > ?", 0).fetchall()
elsewhere("ALTER TABLE lite.main.t RENAME COLUMN b TO c", "INSERT INTO lite.main.t VALUES (1, 'x'), (2, 'y')")
check("renamed", columns(cursor, "t"), ["a", "c"])
check("the old name", state_of(lambda: cursor.execute("SELECT b FROM lite.main.t")), "42S22")
check("rows", cursor.execute("SELECT count(*) FROM lite.main.t").fetchone()[0], 2)

elsewhere("CREATE TABLE lite.main.fresh AS SELECT 1 AS one")
check("a new table", tables(cursor), ["fresh", "other", "t"])
check("its columns", columns(cursor, "fresh"), ["one"])
elsewhere("ALTER TABLE lite.main.fresh RENAME TO newer", "DROP TABLE lite.main.other")
check("renamed and dropped", tables(cursor), ["newer", "t"])
check("the old table", state_of(lambda: cursor.execute("SELECT * FROM lite.main.fresh")), "42S02")
check("the dropped one", state_of(lambda: cursor.execute("SELECT * FROM lite.main.other")), "42S02")

# an index is a fact about the table, too
check("no index", [row.index_name for row in cursor.statistics("newer", "lite", "main") if row.index_name], [])
elsewhere("CREATE UNIQUE INDEX by_one ON lite.main.newer (one)")
check("an index", [row.index_name for row in cursor.statistics("newer", "lite", "main") if row.index_name], ["by_one"])

# what this process changes, another one sees: a second connection of the CLI reads what the first has put into the metastore
cursor.execute("ALTER TABLE lite.main.newer ADD COLUMN two INT")
done = subprocess.run([tributary, "query", "--config", config, "--format", "csv", "-"], text=True, input="SELECT * FROM lite.main.newer",
                      capture_output=True, timeout=60)
check("the other way round", done.stdout.splitlines()[0], "one,two")

# statistics of the file, gathered by ANALYZE there
with sqlite3.connect(database) as raw:
    raw.execute("ANALYZE")
elsewhere("INSERT INTO lite.main.t SELECT n, 'z' FROM UNNEST(sequence(1, 500)) AS s (n)")
before = estimate(cursor)
with sqlite3.connect(database) as raw:
    raw.execute("ANALYZE")
elsewhere("DELETE FROM lite.main.t WHERE a = 500")
check("statistics", (before < 10, estimate(cursor) > 400), (True, True))

# a change that is undone is nobody's
connection.autocommit = False
cursor.execute("ALTER TABLE lite.main.t ADD COLUMN undone INT")
check("seen inside", columns(cursor, "t"), ["a", "c", "undone"])
connection.rollback()
connection.autocommit = True
check("gone outside", columns(cursor, "t"), ["a", "c"])
connection.close()
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
