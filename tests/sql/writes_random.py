"""Random INSERT, UPDATE, DELETE, MERGE and transactions: our tables against SQLite's.

usage: writes_random.py --runner PROGRAM --connectors FOLDER --work FOLDER [--count N] [--seed N] [--mysql-port N]

Each round makes tables in the catalog `target` (in turns one in memory, an SQLite file and, with --mysql-port, a database of
MariaDB) and the same ones in Python's sqlite3, and draws statements over hostile values: rows that break keys and
constraints, conditions in three values, sub-queries over the table itself, parameters, MERGE with several
clauses, transactions that are rolled back. What sqlite3 does with each (MERGE is worked out from a join that it
makes) becomes a .test script: the count of rows or the SQLSTATE, and the whole table afterwards. What fails stays in
the folder as a script that fails again; the same seed gives the same rounds.

Left out, because the two differ by definition: updates of a unique column that succeed or fail by the order of rows,
arithmetic that overflows, text functions beyond ASCII.
"""
import argparse
import json
import os
import random
import re
import sqlite3
import subprocess
import sys

from values import TEXTS, cell

KINDS = {  # type of ours, of SQLite, values
    "int": ("integer", "INTEGER", list(range(-3, 12))),
    "big": ("bigint", "INTEGER", [0, 1, -1, 2, 7, 2**31, -2**31 - 1, 2**53 + 1, 2**62, -2**62]),
    "real": ("double", "REAL", [0.0, 0.5, -2.25, 1.0, 3.0, 1e308, -1e-300, 0.1]),
    "text": ("varchar", "TEXT", TEXTS + ["line\nbreak", "tab\t", "\\x", "a;b--c/*", "?", "x" * 300]),
    "key": ("varchar(300)", "TEXT", TEXTS),
    "bool": ("boolean", "INTEGER", [True, False]),
    "bytes": ("varbinary", "BLOB", [b"", b"\0", b"\0\1", b"a", b"\xff\0", bytes(range(40))]),
}


class Refused(Exception):
    """The statement must fail with this SQLSTATE."""


def literal(value, kind):
    if value is None:
        return "NULL"
    if kind == "bool":
        return "true" if value else "false"
    if kind == "bytes":
        return f"X'{value.hex()}'"
    if kind == "real":
        return repr(value) if "e" in repr(value) else f"{value!r}e0"
    if kind in ("text", "key"):
        if min(value, default=" ") >= " ":
            return "'" + value.replace("'", "''") + "'"
        return "U&'" + "".join(f"\\{ord(c):04x}" if c < " " or c in "'\\" else c for c in value) + "'"
    return str(value)


def bare(text):
    """Without the marks of parameters; U&'' as what it means."""
    text = text.replace("\x01", "").replace("\x02", "")
    return re.sub(r"U&'((?:[^']|'')*)'", lambda m: "'" + re.sub(r"\\([0-9a-f]{4})", lambda d: chr(int(d[1], 16)), m[1]).replace("'", "''") + "'", text)


class Column:
    def __init__(self, name, kind, key=None, nullable=True, default=None):
        self.name, self.kind, self.key, self.nullable, self.default = name, kind, key, nullable, default

    def define(self, ours):
        kind = KINDS[self.kind][0 if ours else 1]
        if self.key == "PRIMARY KEY":  # no rowid, which SQLite numbers where it is NULL
            kind = "bigint" if ours else "INT"
        text = f"{self.name} {kind}"
        if self.default is not None:
            text += f" DEFAULT {literal(self.default, self.kind)}"
        if self.key:
            text += f" {self.key}"
        return text + ("" if self.nullable else " NOT NULL")


class Table:
    def __init__(self, rng, name, shape):
        self.name, self.rng = name, rng
        kinds = [kind for kind in KINDS if kind != "key"]
        self.columns = [Column("a", "int", "PRIMARY KEY" if shape == 0 else None, shape > 1)]
        if shape == 1:
            self.columns.append(Column("k", "key", nullable=False))
        self.columns.append(Column("u", "big", "UNIQUE" if shape < 2 else None))
        for n in range(rng.randint(2, 4)):
            kind = rng.choice(kinds)
            default = rng.choice(KINDS[kind][2]) if kind != "bytes" and rng.random() < 0.4 else None
            self.columns.append(Column(f"c{n}", kind, nullable=rng.random() < 0.8, default=default))
        self.extra = ", PRIMARY KEY (a, k)" if shape == 1 else ""
        self.unique = {"a", "u", "k"} if shape < 2 else set()

    def create(self, ours):
        columns = ", ".join(c.define(ours) for c in self.columns)
        return f"CREATE TABLE {'target.' if ours else ''}{self.name} ({columns}{self.extra})"


def render(value, kind):
    return cell(bool(value) if kind == "bool" and value is not None else value)


class Maker:
    """Draws statements in text that both understand; `{t}` stands where a table of ours has its catalog."""

    def __init__(self, rng, tables):
        self.rng, self.tables = rng, tables
        self.params = []

    def value(self, column, null=0.12):
        if self.rng.random() < null:
            return None
        return self.rng.choice(KINDS[column.kind][2])

    def constant(self, column, null=0.12):
        """A literal or a parameter; DEFAULT is up to the caller."""
        value = self.value(column, null)
        if value is not None and column.kind in ("int", "big", "text") and self.rng.random() < 0.15 and \
                (column.kind != "text" or (value and min(value) >= " " and value == value.strip())):
            self.params.append(f"param varchar {value}" if column.kind == "text" else f"param integer {value}")
            return "\x01" + literal(value, column.kind) + "\x02"
        return literal(value, column.kind)

    def comparison(self, table, alias, depth):
        rng = self.rng
        column = rng.choice(table.columns)
        name = f"{alias}.{column.name}"
        kind = rng.random()
        if kind < 0.2:
            return f"{name} IS {rng.choice(['', 'NOT '])}NULL"
        if kind < 0.35:
            values = ", ".join(literal(self.value(column), column.kind) for _ in range(rng.randint(1, 4)))
            return f"{name} {rng.choice(['', 'NOT '])}IN ({values})"
        if kind < 0.45 and depth < 2:
            other = rng.choice(self.tables)
            match = rng.choice([c for c in other.columns if c.kind == column.kind] or [None])
            if match:
                where = f" WHERE {self.condition(other, 'q', depth + 1)}" if rng.random() < 0.6 else ""
                return f"{name} {rng.choice(['', 'NOT '])}IN (SELECT q.{match.name} FROM {{t}}{other.name} q{where})"
        if kind < 0.55 and depth < 2:
            other = rng.choice(self.tables)
            return (f"{rng.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM {{t}}{other.name} q "
                    f"WHERE q.a {rng.choice(['=', '<', '<>'])} {alias}.a AND {self.condition(other, 'q', depth + 1)})")
        if kind < 0.65 and column.kind in ("int", "big"):
            return f"{name} BETWEEN {rng.randint(-3, 4)} AND {rng.randint(2, 9)}"
        same = [c for c in table.columns if c.kind == column.kind and c is not column]
        if same and kind < 0.75:
            return f"{name} {rng.choice(['=', '<', '<=', '<>'])} {alias}.{rng.choice(same).name}"
        if column.kind == "bool":
            return f"{name} = {literal(self.value(column), 'bool')}"
        return f"{name} {rng.choice(['=', '<', '>', '<=', '>=', '<>'])} {self.constant(column, 0.05)}"

    def condition(self, table, alias, depth=0):
        rng = self.rng
        parts = [self.comparison(table, alias, depth) for _ in range(rng.choice([1, 1, 2, 3]))]
        text = f" {rng.choice(['AND', 'OR'])} ".join(f"({p})" for p in parts)
        return f"NOT ({text})" if rng.random() < 0.2 else text

    def expression(self, table, column, alias):
        """A new value for a column, of its own kind."""
        rng = self.rng
        same = [c for c in table.columns if c.kind == column.kind]
        kind = rng.random()
        name = f"{alias}.{rng.choice(same).name}"
        if kind < 0.2:
            return name
        if kind < 0.35 and column.kind == "int":
            return f"CASE WHEN {name} < 1000 THEN {name} + {rng.randint(1, 5)} ELSE 0 END"
        if kind < 0.35 and column.kind == "text":
            return f"CASE WHEN length({name}) < 100 THEN {name} || {self.constant(column)} END"
        if kind < 0.5:
            return f"CASE WHEN {self.condition(table, alias, 1)} THEN {name} ELSE {self.constant(column)} END"
        if kind < 0.6:
            other = rng.choice(self.tables)
            match = rng.choice([c for c in other.columns if c.kind == column.kind] or [None])
            if match and match.kind != "bool":
                return f"(SELECT max(q.{match.name}) FROM {{t}}{other.name} q WHERE q.a <= {alias}.a)"
        return self.constant(column)


class Round:
    def __init__(self, rng, keyed):
        """keyed: every table has a key, without which a server's rows cannot be changed one by one."""
        self.rng = rng
        self.tables = [Table(rng, f"w{n}", min(n, 1) if keyed else n) for n in range(3)]
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.execute("PRAGMA case_sensitive_like = ON")
        self.lines = []
        self.open = False
        for table in self.tables:
            self.lines += ["statement ok", f"DROP TABLE IF EXISTS target.{table.name}", "", "statement ok", table.create(True), ""]
            self.db.execute(bare(table.create(False)))

    # -------------------------------------------------------------- both sides

    def record(self, maker, text, run):
        """One statement: what the oracle does with it is what is expected."""
        ours, params = text.format(t="target."), iter(maker.params)
        lines = []
        pieces = ours.split("\x01")
        for piece in pieces[1:]:
            lines.append(next(params))
        ours = pieces[0] + "".join("?" + piece.split("\x02", 1)[1] for piece in pieces[1:])
        self.db.execute("SAVEPOINT statement")
        try:
            how = f"statement count {run()}"
            self.db.execute("RELEASE statement")
        except (sqlite3.IntegrityError, Refused) as error:
            self.db.execute("ROLLBACK TO statement")
            self.db.execute("RELEASE statement")
            how = f"statement error {error if isinstance(error, Refused) else '23000'}:"
        self.lines += lines + [how, ours, ""]

    def theirs(self, text):
        return self.db.execute(bare(text.format(t="")))

    def change(self, table, sets, where):
        """sqlite3 may see rows that the statement has changed: what is to be changed is asked for first."""
        picked = "".join(f", {e}" for _, e in sets)
        rows = self.theirs(f"SELECT {table.name}.rowid{picked} FROM {{t}}{table.name}{where}").fetchall()
        for row in rows:
            if sets:
                names = ", ".join(f"{c.name} = ?" for c, _ in sets)
                self.db.execute(f"UPDATE {table.name} SET {names} WHERE rowid = ?", (*row[1:], row[0]))
            else:
                self.db.execute(f"DELETE FROM {table.name} WHERE rowid = ?", row)
        return len(rows)

    def show(self, table):
        kinds = [c.kind for c in table.columns]
        rows = self.db.execute(f"SELECT * FROM {table.name}").fetchall()
        self.lines += [f"query {'?' * len(kinds)} rowsort", f"SELECT * FROM target.{table.name}", "----"]
        self.lines += ["\t".join(render(v, k) for v, k in zip(row, kinds)) for row in rows] + [""]

    # -------------------------------------------------------------- statements

    def insert(self, maker, table):
        rng = self.rng
        columns = table.columns if rng.random() < 0.6 else \
            [c for c in table.columns if c.key == "PRIMARY KEY" or c.name in ("a", "k") or rng.random() < 0.6]
        names = "" if columns is table.columns else f" ({', '.join(c.name for c in columns)})"
        if rng.random() < 0.2:
            source = rng.choice(self.tables)
            picked = []
            for c in columns:
                same = [f"q.{s.name}" for s in source.columns if s.kind == c.kind]
                picked.append(rng.choice(same) if same and rng.random() < 0.7 else literal(maker.value(c), c.kind))
            if columns[0].kind == "int" and rng.random() < 0.7:
                picked[0] = f"q.a + {rng.randint(12, 900)}"
            text = f"INSERT INTO {{t}}{table.name}{names} SELECT {', '.join(picked)} FROM {{t}}{source.name} q"
            if rng.random() < 0.7:
                text += f" WHERE {maker.condition(source, 'q')}"
            return text, lambda: self.theirs(text).rowcount
        rows = []
        for _ in range(rng.choice([1, 1, 2, 3, 8])):
            null = 0.03 if rng.random() < 0.7 else 0.2
            rows.append("(" + ", ".join(maker.constant(c, null if c.nullable else null / 6) for c in columns) + ")")
        text = f"INSERT INTO {{t}}{table.name}{names} VALUES {', '.join(rows)}"
        return text, lambda: self.theirs(text).rowcount

    def update(self, maker, table):
        rng = self.rng
        free = [c for c in table.columns if c.name not in table.unique]
        sets = [(c, maker.expression(table, c, table.name)) for c in rng.sample(free, rng.randint(1, len(free)))]
        where = f" WHERE {maker.condition(table, table.name)}" if rng.random() < 0.85 else ""
        if table.columns[0].key and rng.random() < 0.25:  # one row, so that the order of rows does not matter
            u = next(c for c in table.columns if c.name == "u")
            sets = [(u, maker.constant(u))]
            where = f" WHERE a = (SELECT min(q.a) FROM {{t}}{table.name} q)"
            maker.params = maker.params[-1:] if "\x01" in sets[0][1] else []
        text = f"UPDATE {{t}}{table.name} SET {', '.join(f'{c.name} = {e}' for c, e in sets)}{where}"
        return text, lambda: self.change(table, sets, where)

    def delete(self, maker, table):
        where = f" WHERE {maker.condition(table, table.name)}" if self.rng.random() < 0.95 else ""
        return f"DELETE FROM {{t}}{table.name}{where}", lambda: self.change(table, [], where)

    def merge_source(self, maker, table):
        """A source with the target's columns under the names s0, s1 ..."""
        rng = self.rng
        if rng.random() < 0.5:
            other = rng.choice(self.tables)
            picked = []
            for n, c in enumerate(table.columns):
                same = [f"q.{s.name}" for s in other.columns if s.kind == c.kind]
                picked.append(f"{rng.choice(same) if same else literal(maker.value(c), c.kind)} AS s{n}")
            where = f" WHERE {maker.condition(other, 'q')}" if rng.random() < 0.5 else ""
            return f"(SELECT {', '.join(picked)} FROM {{t}}{other.name} q{where}) s"
        rows = []
        for n in range(rng.randint(1, 6)):
            values = [literal(maker.value(c, 0.05), c.kind) for c in table.columns]
            if n == 0:  # a column that is NULL in all rows has no type
                values = [literal(maker.value(c, 0), c.kind) for c in table.columns]
            rows.append("SELECT " + ", ".join(f"{v} AS s{i}" for i, v in enumerate(values)))
        return f"({' UNION ALL '.join(rows)}) s"

    def merge(self, maker, table):
        """The text, and a function that does the same to the oracle."""
        rng, t, columns = self.rng, table.name, table.columns
        source = self.merge_source(maker, table)
        u = f"{t}.u = s.s{next(n for n, c in enumerate(columns) if c.name == 'u')}"
        on = rng.choice([f"{t}.a = s.s0", f"s.s0 = {t}.a AND {u}", u])
        clauses = []
        for _ in range(rng.randint(1, 4)):
            condition = None
            kind = rng.choice(["update", "delete", "insert"])
            if rng.random() < 0.5:
                condition = f"s.s0 {rng.choice(['<', '>', '<>'])} {rng.randint(-3, 10)}" if kind == "insert" else \
                    maker.condition(table, t, 1)
            if kind == "update":
                free = [c for c in columns if c.name not in table.unique]
                sets = [(c, f"s.s{columns.index(c)}" if rng.random() < 0.6 else maker.expression(table, c, t))
                        for c in rng.sample(free, rng.randint(1, len(free)))]
                clauses.append((kind, condition, sets))
            elif kind == "delete":
                clauses.append((kind, condition, []))
            else:
                clauses.append((kind, condition, [(c, f"s.s{n}") for n, c in enumerate(columns)]))
        text = f"MERGE INTO {{t}}{t} USING {source} ON {on}"
        for kind, condition, sets in clauses:
            text += " WHEN NOT MATCHED" if kind == "insert" else " WHEN MATCHED"
            text += f" AND ({condition})" if condition else ""
            if kind == "update":
                text += " THEN UPDATE SET " + ", ".join(f"{c.name} = {e}" for c, e in sets)
            elif kind == "delete":
                text += " THEN DELETE"
            else:
                text += f" THEN INSERT ({', '.join(c.name for c, _ in sets)}) VALUES ({', '.join(e for _, e in sets)})"
        return text, lambda: self.merge_run(table, source, on, clauses)

    def merge_run(self, table, source, on, clauses):
        cases = ""
        for n, (kind, condition, _) in enumerate(clauses):
            cases += f" WHEN {table.name}.rowid IS {'' if kind == 'insert' else 'NOT '}NULL AND ({condition or '1'}) THEN {n}"
        values = [e for _, _, sets in clauses for _, e in sets]
        rows = self.theirs(f"SELECT {table.name}.rowid, CASE{cases} END" + "".join(f", {v}" for v in values) +
                           f" FROM {source} LEFT JOIN {{t}}{table.name} ON {on}").fetchall()
        rows = [row for row in rows if row[1] is not None]
        touched = [row[0] for row in rows if row[0] is not None]
        if len(touched) != len(set(touched)):
            raise Refused("21000")
        starts, at = [], 2
        for _, _, sets in clauses:
            starts.append(at)
            at += len(sets)
        for wanted in ("delete", "update", "insert"):
            for row in rows:
                kind, _, sets = clauses[row[1]]
                mine = row[starts[row[1]]:starts[row[1]] + len(sets)]
                if kind != wanted:
                    continue
                if kind == "delete":
                    self.db.execute(f"DELETE FROM {table.name} WHERE rowid = ?", (row[0],))
                elif kind == "update":
                    self.db.execute(f"UPDATE {table.name} SET {', '.join(c.name + ' = ?' for c, _ in sets)} WHERE rowid = ?", (*mine, row[0]))
                else:
                    names = ", ".join(c.name for c, _ in sets)
                    self.db.execute(f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(sets))})", mine)
        return len(rows)

    def transaction(self):
        if not self.open:
            self.db.execute("BEGIN")
            word = "START TRANSACTION"
        else:
            word = self.rng.choice(["COMMIT", "ROLLBACK"])
            self.db.execute(word)
        self.open = not self.open
        self.lines += ["statement ok", word, ""]

    def step(self):
        rng = self.rng
        if rng.random() < 0.15:
            self.transaction()
            for table in self.tables:
                self.show(table)
            return
        table, maker = rng.choice(self.tables), Maker(rng, self.tables)
        kind = rng.choice(["insert", "insert", "update", "update", "delete", "merge", "merge"])
        if kind == "delete" and rng.random() < 0.6:
            kind = "insert"
        text, run = getattr(self, kind)(maker, table)
        self.record(maker, text, run)
        self.show(table)

    def script(self, steps):
        for _ in range(steps):
            self.step()
        if self.open:
            self.transaction()
        for table in self.tables:
            self.show(table)
            self.lines += ["statement ok", f"DROP TABLE target.{table.name}", ""]
        return "\n".join(self.lines)


def configuration(args, kind):
    path = os.path.join(args.work, f"writes-{kind}.db")
    target = {"memory": {"type": "memory"}, "sqlite": {"type": "sqlite", "path": path, "mode": "readwrite"},
              "mysql": {"type": "mysql", "host": "127.0.0.1", "port": args.mysql_port, "user": "trib", "password": "trib-secret",
                        "mode": "readwrite", "default_schema": "write_target"}}[kind]
    if kind == "sqlite":
        if os.path.exists(path):
            os.remove(path)
        sqlite3.connect(path).execute("VACUUM")
    name = os.path.join(args.work, f"writes-{kind}.json")
    with open(name, "w", encoding="utf-8") as file:
        json.dump({"settings": {"connector_path": args.connectors, "metastore": ":memory:"}, "catalogs": {"target": target}}, file)
    return name


def main():
    parser = argparse.ArgumentParser()
    for option in ("--runner", "--connectors", "--work"):
        parser.add_argument(option, required=True)
    parser.add_argument("--count", type=int, default=30, help="rounds")
    parser.add_argument("--steps", type=int, default=60, help="statements of a round")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--mysql-port", type=int, help="a MariaDB with an empty database write_target")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    print(f"seed {args.seed}", flush=True)
    kinds = ["memory", "sqlite"] + (["mysql"] if args.mysql_port else [])
    configs = {kind: configuration(args, kind) for kind in kinds}
    failed = 0
    for n in range(args.count):
        good = True
        for kind in kinds:
            script = os.path.join(args.work, f"writes-{args.seed}-{n}-{kind}.test")
            with open(script, "w", encoding="utf-8") as file:
                file.write(Round(random.Random(args.seed * 1000003 + n), kind == "mysql").script(args.steps))
            run = subprocess.run([args.runner, "--config", configs[kind], "--jobs", "1", "--combinations", "two" if n % 3 == 0 else "one", script],
                                 capture_output=True, text=True)
            if run.returncode:
                good = False
                print(f"round {n} (--seed {args.seed}) on {kind}, script {script}:\n{run.stdout[:4000]}{run.stderr}", flush=True)
            else:
                os.remove(script)
        failed += not good
    print(f"{args.count} rounds of {args.steps} statements, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
