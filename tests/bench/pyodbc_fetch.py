"""Reads queries by pyodbc's fetchall(). usage: pyodbc_fetch.py CONNECTION_STRING --serve

A line "MODE QUERY" on standard input gives a line of JSON; the mode run is for statements without rows.
"""
import json
import sys
import time

import pyodbc

connection = pyodbc.connect(sys.argv[1], autocommit=True)
for line in sys.stdin:
    mode, query = line.rstrip("\n").split(" ", 1)
    cursor = connection.cursor()
    start = time.perf_counter()
    cursor.execute(query)
    rows = cursor.fetchall() if mode == "fetchall" else []
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": [seconds], "rows": len(rows)}), flush=True)
    del rows
    cursor.close()
