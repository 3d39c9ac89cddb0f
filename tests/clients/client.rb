# Ruby: ruby-odbc. usage: client.rb DSN ROWS.SQL, with the manager preloaded: the package looks for it under
# a name of unixODBC 2.2. Its UTF-8 module builds characters beyond the BMP wrongly, so none is asked for.
require 'odbc_utf8'
dsn, file = ARGV
sql = File.read(file, encoding: 'UTF-8')
def check(name, got, want)
  abort "#{name}: got #{got.inspect}, wanted #{want.inspect}" unless got == want
end
c = ODBC.connect(dsn)
s = c.prepare(sql)
s.execute(1)
check('names', s.columns(true).map(&:name), %w[i n s d f b w])
rows = s.fetch_all
check('rows', rows.length, 3)
check('row', rows[0][0..2] + rows[0][4..5], [1, '1.50', 'Grüße', 0.5, 1])
check('date', rows[0][3].to_s, '2024-02-29')
check('null', rows[1][1], nil)
s.drop
c.cursortype = ODBC::SQL_CURSOR_STATIC
s = c.run('SELECT x FROM (VALUES 10, 20, 30) t(x) ORDER BY x')
check('last', s.fetch_scroll(ODBC::SQL_FETCH_LAST), [30])
check('prior', s.fetch_scroll(ODBC::SQL_FETCH_PRIOR), [20])
s.drop
s = c.tables('sample_orders')
check('tables', s.fetch_all.length, 1)
s.drop
begin
  c.run('SELECT nothing FROM (VALUES 1) t(x)')
  abort 'no error'
rescue ODBC::Error => e
  check('state', e.message[0, 5], '42S22')
end
s = c.run('SELECT 42')
check('after an error', s.fetch, [42])
s.drop
c.disconnect
