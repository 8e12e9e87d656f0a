// Tables: what columns hold, quotes and line ends, what is missing, and files that are not whole.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { data } from '../../src/index.ts';
import { missing, sharedFolder } from '../support/shared.ts';

t.test('types, quotes, line ends, blanks', async (t) => {
  const text = '\uFEFFname, size ,note\r\n"Ada ""A""",1.5,"a, b\r\nc"\r\nBob, -2e3,\u00e9\r\n\r\n';
  const table = await data.parseCsv(text);
  t.same(table.names, ['name', 'size', 'note']);
  t.same(table.kinds, { name: 'text', size: 'number', note: 'text' });
  t.same(table.rows(), [
    { name: 'Ada "A"', size: 1.5, note: 'a, b\r\nc' },
    { name: 'Bob', size: -2000, note: 'é' },
  ]);
  t.same(table.numbers(), { data: Float32Array.of(1.5, -2000), shape: [2, 1], names: ['size'] });
  t.same(table.labels('name'), { labels: Int32Array.of(0, 1), classes: ['Ada "A"', 'Bob'] });
});

t.test('headers: in the file, given, none', async (t) => {
  t.same((await data.parseCsv('1;2\n3;4', { header: ['a', 'b'], delimiter: ';' })).rows(), [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ]);
  const plain = await data.parseCsv('1,2\n3,4', { header: false });
  t.same(plain.names, ['c0', 'c1']);
  t.same([...plain.numbers(['c1', 'c0']).data], [2, 1, 4, 3], 'columns in the order asked for');
  t.same([...plain.numbers({ except: ['c0'] }).data], [2, 4]);
});

t.test('classes of numbers are sorted as numbers; given ones keep their order', async (t) => {
  const table = await data.parseCsv('k\n10\n9\n10\n100');
  t.same(table.labels('k'), { labels: Int32Array.of(1, 0, 1, 2), classes: ['9', '10', '100'] });
  t.same(table.labels('k', ['100', '10', '9']).labels, Int32Array.of(1, 2, 1, 0));
  t.throws(() => table.labels('k', ['9', '10']), { message: /has '100' in row 4 of 'k'/ });
});

t.test('missing values: told, dropped, filled', async (t) => {
  const text = 'a,b,c\n1,x,\n,y,3\nNA,,5\n4,z,7';
  await t.rejects(data.parseCsv(text), {
    code: 'HDL0016',
    message: /lacks values: row 1 'c', row 2 'a', row 3 'a', row 3 'b'\n {2}rule: every row has a value/,
  });
  const dropped = await data.parseCsv(text, { missing: 'drop' });
  t.same(dropped.rows(), [{ a: 4, b: 'z', c: 7 }]);
  t.same(dropped.missing.length, 4, 'what was missing stays known');
  const filled = await data.parseCsv(text, { missing: { a: 'mean', b: { text: '-' }, c: 'median' } });
  t.same(filled.column('a'), [1, 2.5, 2.5, 4]);
  t.same(filled.column('b'), ['x', 'y', '-', 'z']);
  t.same(filled.column('c'), [5, 3, 5, 7]);
  const mixed = await data.parseCsv(text, { missing: { a: 0, b: 'drop', c: -1 } });
  t.same(mixed.rows(), [
    { a: 1, b: 'x', c: -1 },
    { a: 0, b: 'y', c: 3 },
    { a: 4, b: 'z', c: 7 },
  ]);
  t.same((await data.parseCsv('a\n-\n1', { missingAs: ['-'], missing: 'drop' })).column('a'), [1]);
  await t.rejects(data.parseCsv('b,c\nx,1\n,2', { missing: 'mean' }), {
    message: /no number to fill 'b' by/,
  });
  await t.rejects(data.parseCsv('a,b\n,1\n2,', { missing: 'drop' }), { message: /missing in each row/ });
  await t.rejects(data.parseCsv(text, { missing: { d: 0 } }), { message: /no column 'd'/ });
});

t.test('what is no table is refused, and says where', async (t) => {
  const refuses = async (text: string, message: RegExp, options?: data.CsvOptions): Promise<void> => {
    await t.rejects(data.parseCsv(text, options), { code: 'HDL0016', message });
  };
  await refuses(
    'a,b\n1,2\n3\n',
    /has 1 cell in row 2\n {2}rule: the header has 2\n {2}try: {2}the file may be cut/,
  );
  await refuses('a,b\n1,2,3', /has 3 cells in row 1.*put quotes around/s);
  await refuses('a,b\n1,"2\n', /a quote that does not end in row 1/);
  await refuses('a,b\n1,"2"3\n', /text after a closing quote in row 1/);
  await refuses('a,a\n1,2', /two columns 'a'/);
  await refuses('a,b\n', /has no rows.*header: false/s);
  await refuses('', /has no rows/);
  await refuses('a;b\n1;2', /one column, 'a;b'.*delimiter: ";"/s);
  await t.rejects(data.loadCsv(Uint8Array.of(0x61, 0xe9)), { message: /is no utf-8.*windows-1252/s });
  await t.rejects(data.loadCsv(Uint8Array.of(0x61), { encoding: 'utf-9' }), { message: /read as 'utf-9'/ });
  const table = await data.parseCsv('size,kind\n1,a\n2,b');
  t.throws(() => table.numbers(['sise']), { message: /no column 'sise'.*did you mean 'size'\?/s });
  t.throws(() => table.numbers(['kind']), {
    message: /has 'a' in row 1 of 'kind'.*table.labels\('kind'\)/s,
  });
  const latin = await data.loadCsv(Uint8Array.of(0x61, 0x0a, 0xe9), { encoding: 'windows-1252' });
  t.same(latin.column('a'), ['é']);
});

t.test('from a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'a.csv'), 'a,b\n1,2\n');
  t.same((await data.loadCsv(join(folder, 'a.csv'))).rows(), [{ a: 1, b: 2 }]);
  await t.rejects(data.loadCsv(join(folder, 'b.csv')), { code: 'HDL0016', message: /there is such a file/ });
});

t.test('iris and WDBC', { skip: missing('data/classics/wdbc.csv') }, async (t) => {
  const iris = await data.loadCsv(`${sharedFolder}/data/classics/iris.csv`);
  t.same(iris.labels('class').classes, ['Iris-setosa', 'Iris-versicolor', 'Iris-virginica']);
  t.same(iris.numbers().shape, [150, 4]);
  const wdbc = await data.loadCsv(`${sharedFolder}/data/classics/wdbc.csv`);
  t.same(wdbc.numbers({ except: ['ID', 'Diagnosis'] }).shape, [569, 30]);
  const { labels, classes } = wdbc.labels('Diagnosis');
  t.same(classes, ['B', 'M']);
  t.equal(
    labels.reduce((a, b) => a + b),
    212,
  );
});
