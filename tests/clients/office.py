"""LibreOffice, headless: Calc imports a query into a sheet, refreshes it and saves it; Base lists tables and edits rows, in a result set
that is updatable and in the row set that its grids show.

usage: office.py DSN FOLDER   (with Debian's python3, which has uno)
"""
import os
import shutil
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet.DataImportMode import QUERY

dsn, folder = sys.argv[1], os.path.abspath(sys.argv[2])
SQL = ("SELECT o.order_id, o.product_name, o.price, o.order_date, t.status FROM mysql_catalog.analytics_db.sample_orders o "
       "LEFT JOIN tracking_catalog.main.tracking t ON CAST(o.order_id AS VARCHAR) = t.order_id ORDER BY o.order_id")


def value(name, what):
    made = PropertyValue()
    made.Name, made.Value = name, what
    return made


def context(pipe, office):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(300):
        try:
            return resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
        except NoConnectException:
            assert office.poll() is None, "soffice ended with %s" % office.returncode
            time.sleep(0.3)
    raise SystemExit("soffice does not answer")


def source(services, remote):
    databases = services.createInstanceWithContext("com.sun.star.sdb.DatabaseContext", remote)
    made = databases.createInstance()
    made.URL = "sdbc:odbc:" + dsn
    query = made.QueryDefinitions.createInstance()
    query.Command, query.EscapeProcessing = SQL, False
    made.QueryDefinitions.insertByName("Orders", query)
    made.DatabaseDocument.storeAsURL(uno.systemPathToFileUrl(os.path.join(folder, "source.odb")), ())
    databases.registerObject("Tributary", made)
    return made


def base_lists_tables(made):
    connection = made.getConnection("", "")
    tables = connection.getMetaData().getTables("mysql_catalog", "%", "%", ("TABLE",))
    names = []
    while tables.next():
        names.append(tables.getString(3))
    assert "sample_orders" in names, names
    statement = connection.createStatement()
    statement.ResultSetType = 1004  # SCROLL_INSENSITIVE: a static cursor
    rows = statement.executeQuery(SQL)
    assert rows.first() and rows.getInt(1) == 1001 and rows.getRow() == 1
    assert rows.next() and rows.getInt(1) == 1002 and rows.getRow() == 2
    connection.close()


def rows_of(connection, table):
    rows = connection.createStatement().executeQuery("SELECT id, name, price FROM %s ORDER BY id" % table)
    found = []
    while rows.next():
        found.append((rows.getInt(1), rows.getString(2), rows.getString(3)))
    return found


def result_set_edits(connection, table):
    statement = connection.createStatement()
    statement.ResultSetType, statement.ResultSetConcurrency = 1005, 1008  # SCROLL_SENSITIVE, UPDATABLE
    statement.UseBookmarks = True
    rows = statement.executeQuery("SELECT id, name, price FROM %s ORDER BY id" % table)
    assert rows.next() and rows.getInt(1) == 1
    rows.updateString(2, "eins")
    rows.updateRow()
    assert rows.next()
    rows.deleteRow()
    rows.moveToInsertRow()
    rows.updateInt(1, 4)
    rows.updateString(2, "vier")
    rows.updateDouble(3, 4.25)
    rows.insertRow()
    statement.close()
    assert rows_of(connection, table) == [(1, "eins", "1.50"), (3, "three", "3.50"), (4, "vier", "4.25")], rows_of(connection, table)


def row_set_edits(services, remote, connection, table):
    rows = services.createInstanceWithContext("com.sun.star.sdb.RowSet", remote)
    rows.ActiveConnection, rows.CommandType, rows.Command = connection, 2, "SELECT id, name, price FROM %s ORDER BY id" % table
    rows.execute()
    assert rows.first()
    rows.updateString(2, "one again")
    rows.updateRow()
    rows.moveToInsertRow()
    rows.updateInt(1, 5)
    rows.updateString(2, "five")
    rows.insertRow()
    assert rows.last()
    rows.absolute(2)
    rows.deleteRow()
    rows.dispose()
    assert rows_of(connection, table) == [(1, "one again", "1.50"), (4, "vier", "4.25"), (5, "five", "")], rows_of(connection, table)


def base_edits_rows(services, remote, made):
    connection = made.getConnection("", "")
    work = connection.createStatement()
    for schema in ("mem.default", "write_lite.main", "write_mysql.analytics_db"):
        table = '"%s"."%s"."office_edits"' % tuple(schema.split("."))
        work.executeUpdate("DROP TABLE IF EXISTS " + table)
        work.executeUpdate("CREATE TABLE %s (id integer PRIMARY KEY, name varchar(20), price decimal(10,2))" % table)
        work.executeUpdate("INSERT INTO %s VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5)" % table)
        result_set_edits(connection, table)
        connection.getTables().refresh()  # Base knows tables that its connection has seen
        row_set_edits(services, remote, connection, table)
        work.executeUpdate("DROP TABLE " + table)
    connection.close()


def cells(sheet):
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    end = cursor.RangeAddress
    return [[sheet.getCellByPosition(c, r).String for c in range(end.EndColumn + 1)] for r in range(end.EndRow + 1)]


def calc_imports(services, remote):
    desktop = services.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
    document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, (value("Hidden", True),))
    sheet = document.Sheets.getByIndex(0)
    sheet.getCellRangeByName("A1").doImport((value("DatabaseName", "Tributary"), value("SourceType", QUERY), value("SourceObject", "Orders")))
    first = cells(sheet)
    assert [row[0] for row in first] == ["order_id", "1001", "1002", "1003", "1004", "1005", "1006"], first
    assert first[2][4] == "processing" and first[4][4] == "", first
    assert sheet.getCellByPosition(2, 1).Value == 1299.99, first
    document.getPropertyValue("UnnamedDatabaseRanges").getByTable(0).refresh()
    assert cells(sheet) == first
    target = os.path.join(folder, "orders.xlsx")
    document.storeToURL(uno.systemPathToFileUrl(target), (value("FilterName", "Calc MS Excel 2007 XML"),))
    assert os.path.getsize(target) > 3000
    document.close(True)
    desktop.terminate()


def main():
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    pipe = "tributary%d" % os.getpid()
    office = subprocess.Popen(
        ["soffice", "-env:UserInstallation=" + uno.systemPathToFileUrl(os.path.join(folder, "profile")), "--headless", "--invisible", "--nologo",
         "--nodefault", "--norestore", "--nofirststartwizard", "--accept=pipe,name=%s;urp;StarOffice.ComponentContext" % pipe],
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        remote = context(pipe, office)
        services = remote.ServiceManager
        made = source(services, remote)
        base_lists_tables(made)
        base_edits_rows(services, remote, made)
        calc_imports(services, remote)
        office.wait(60)
    finally:
        if office.poll() is None:
            os.killpg(office.pid, 9)
            office.wait()
    print("3 passed")


main()
