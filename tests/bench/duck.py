"""Times statements in DuckDB: duck.py REPEATS THREADS STATEMENT ...; '!' = once, not timed. JSON lines."""
import json
import sys
import time

import duckdb

connection = duckdb.connect()
connection.execute(f"SET threads = {int(sys.argv[2])}")
for statement in sys.argv[3:]:
    if statement.startswith("!"):
        connection.execute(statement[1:])
        continue
    seconds = []
    for _ in range(int(sys.argv[1])):
        start = time.perf_counter()
        rows = connection.execute(statement).fetchall()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds, "rows": len(rows)}), flush=True)
