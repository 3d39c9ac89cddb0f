"""LibreOffice, headless: Calc imports a query into a sheet, refreshes it and saves it; Base lists tables.

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
        base_lists_tables(source(services, remote))
        calc_imports(services, remote)
        office.wait(60)
    finally:
        if office.poll() is None:
            os.killpg(office.pid, 9)
            office.wait()
    print("2 passed")


main()
