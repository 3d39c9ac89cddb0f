"""Qt's QODBC through PyQt: statements with placeholders, values without a type, transactions, tables that are edited.

usage: qt.py DSN [MORE]   MORE of the connection string names the catalog; else it is `mem`, in memory. Ends with N passed, N failed.
"""
import sys

from PyQt5.QtCore import QCoreApplication, QDate, QVariant
from PyQt5.QtSql import QSql, QSqlDatabase, QSqlQuery, QSqlTableModel

application = QCoreApplication(sys.argv[:1])
database = QSqlDatabase.addDatabase("QODBC")
database.setDatabaseName(sys.argv[1] + ";" + (sys.argv[2] if len(sys.argv) > 2 else "Catalog=mem"))
tests = []


def test(function):
    tests.append(function)
    return function


def done(target, succeeded=True):
    assert succeeded, target.lastError().text()


def run(sql, *values):
    """A query that was executed; a value without a type is what Qt has for NULL."""
    query = QSqlQuery(database)
    done(query, query.prepare(sql))
    for value in values:
        query.addBindValue(QVariant() if value is None else value)
    done(query, query.exec())
    return query


def rows(sql, *values):
    query = run(sql, *values)
    got = []
    while query.next():
        got.append([None if query.isNull(i) else query.value(i) for i in range(query.record().count())])
    return got


@test
def placeholders():
    run("CREATE TABLE qt_values (id INT NOT NULL PRIMARY KEY, name VARCHAR(20), price DOUBLE, day DATE, at TIMESTAMP)")
    day = QDate(2024, 2, 29)
    run("INSERT INTO qt_values VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP)", 1, "Größe 😀", 1.5, day)
    run("INSERT INTO qt_values VALUES (?, ?, ?, ?, ?)", 2, None, None, None, None)
    query = run("UPDATE qt_values SET price = ?, day = ? WHERE id = ?", None, day, 2)
    assert query.numRowsAffected() == 1
    assert rows("SELECT id, name, price, day FROM qt_values ORDER BY id") == [[1, "Größe 😀", 1.5, day], [2, None, None, day]]
    assert rows("SELECT ? || ?, greatest(?, ?)", "a", "b", "c", "d") == [["ab", "d"]]
    assert [rows("SELECT count(*) FROM qt_values WHERE at IS NULL")[0][0], database.record("qt_values").count()] == [1, 5]
    assert database.primaryIndex("qt_values").fieldName(0) == "id" and "qt_values" in database.tables(QSql.Tables)
    run("DROP TABLE qt_values")


@test
def scrolling():
    query = QSqlQuery(database)
    done(query, query.exec("SELECT x FROM (VALUES 1, 2, 3, 4, 5) t(x) ORDER BY x"))
    assert query.last() and query.value(0) == 5 and query.previous() and query.value(0) == 4
    assert query.seek(1) and query.value(0) == 2 and query.first() and query.value(0) == 1 and not query.seek(7)


@test
def transactions():
    run("CREATE TABLE qt_moves (id INT)")
    done(database, database.transaction())
    run("INSERT INTO qt_moves VALUES (?)", 1)
    done(database, database.rollback())
    assert rows("SELECT count(*) FROM qt_moves") == [[0]]
    done(database, database.transaction())
    run("INSERT INTO qt_moves VALUES (?)", 2)
    done(database, database.commit())
    assert rows("SELECT id FROM qt_moves") == [[2]]
    run("DROP TABLE qt_moves")


@test
def edited_table():
    run("CREATE TABLE qt_edits (id INT NOT NULL PRIMARY KEY, name VARCHAR(20), title INT)")
    run("INSERT INTO qt_edits VALUES (1, 'harry', 1), (2, 'trond', 2)")
    model = QSqlTableModel(None, database)
    model.setTable("qt_edits")
    model.setSort(0, 0)
    model.setEditStrategy(QSqlTableModel.OnManualSubmit)
    done(model, model.select())
    model.setData(model.index(0, 1), "Harry")
    model.setData(model.index(1, 2), QVariant())
    model.insertRow(2)
    for column, value in enumerate([55, "no title", QVariant()]):
        model.setData(model.index(2, column), value)
    done(model, model.submitAll())
    assert rows("SELECT * FROM qt_edits ORDER BY id") == [[1, "Harry", 1], [2, "trond", None], [55, "no title", None]]
    model.removeRow(2)
    done(model, model.submitAll())
    assert model.rowCount() == 2
    run("DROP TABLE qt_edits")


@test
def errors():
    query = QSqlQuery(database)
    assert not query.exec("SELECT * FROM qt_nowhere") and "qt_nowhere" in query.lastError().databaseText()


if not database.open():
    sys.exit(database.lastError().text())
failed = 0
for function in tests:
    try:
        function()
    except Exception as error:
        failed += 1
        print(f"{function.__name__}: {type(error).__name__}: {error}")
database.close()
print(f"{len(tests) - failed} passed, {failed} failed")
sys.exit(failed > 0)
