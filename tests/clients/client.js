// Node: the package odbc. usage: client.js DSN ROWS.SQL, NODE_PATH names its folder
const assert = require('assert');
const fs = require('fs');
const odbc = require('odbc');
const [, , dsn, file] = process.argv;
(async () => {
  const c = await odbc.connect(`DSN=${dsn}`);
  const rows = await c.query(fs.readFileSync(file, 'utf8'), [1]);
  assert.strictEqual(rows.length, 3);
  assert.deepStrictEqual(rows[0], { i: 1, n: 1.5, s: 'Grüße', d: '2024-02-29', f: 0.5, b: '1', w: '2024-01-01 10:00:00.123456' });
  assert.strictEqual(rows[1].n, null);
  assert.deepStrictEqual(rows.columns.map((x) => x.dataTypeName), ['SQL_INTEGER', 'SQL_DECIMAL', 'SQL_WVARCHAR', 'SQL_TYPE_DATE', 'SQL_DOUBLE', 'SQL_BIT', 'SQL_TYPE_TIMESTAMP']);
  assert.strictEqual((await c.query("SELECT CAST('Grüße 😀' AS varchar(20)) AS s"))[0].s, 'Grüße 😀');
  await assert.rejects(c.query('SELECT nothing FROM (VALUES 1) t(x)'), (e) => e.odbcErrors[0].state === '42S22');
  assert.strictEqual((await c.tables('mysql_catalog', 'analytics_db', 'sample_orders', null)).length, 1);
  const cursor = await c.query('SELECT order_id FROM mysql_catalog.analytics_db.sample_orders', { cursor: true, fetchSize: 4 });
  let n = 0;
  while (!cursor.noData) n += (await cursor.fetch()).length;
  await cursor.close();
  assert.strictEqual(n, 6);
  await Promise.all([1, 2, 3].map((x) => c.query(`SELECT ${x} AS x`).then((r) => assert.strictEqual(r[0].x, x))));
  await c.close();
  // storing and transactions
  const w = await odbc.connect(`DSN=${dsn};Catalog=mem`);
  const count = async () => Number((await w.query('SELECT count(*) AS n FROM node_rows'))[0].n);
  await w.query('CREATE TABLE node_rows (id integer, text varchar(20))');
  await w.beginTransaction();
  assert.strictEqual((await w.query('INSERT INTO node_rows VALUES (?, ?)', [1, 'Grüße 😀'])).count, 1);
  await w.rollback();
  assert.strictEqual(await count(), 0);
  await w.beginTransaction();
  await w.query('INSERT INTO node_rows VALUES (?, ?)', [2, null]);
  await w.commit();
  assert.strictEqual(await count(), 1);
  await w.query('DROP TABLE node_rows');
  await w.close();
})().catch((e) => { console.error(e); process.exit(1); });
