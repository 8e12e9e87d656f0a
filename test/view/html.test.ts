// The viewer's page as a text: one file that asks nothing of a network, and in which no name of a user ends a script.

import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import * as h from '../../src/index.ts';
import type { ViewData } from '../../src/view/data.ts';

const hostile = '</script><img src=x onerror=alert(1)>';

function net(): h.Program<{ train: h.Entry }> {
  const w = h.variable('w', [3, 2], h.initializers.zeros());
  const entry = h.entry({ x: h.tensor(['batch', 3]) }, ({ x }, ctx) => {
    const y = h.scope(hostile, () => h.tanh(h.matmul(x, w) as h.Floats));
    const loss = h.mean(h.square(y));
    const [dw] = h.grad(loss, [w]);
    ctx.assign(w, h.sub(w, dw!) as never);
    return { loss };
  });
  return h.program({ train: entry as unknown as h.Entry }, { threads: 1 });
}

function dataOf(html: string): ViewData {
  const [, packed] = /<script id="data" type="application\/octet-stream">([A-Za-z0-9+/=]+)<\/script>/.exec(
    html,
  )!;
  return JSON.parse(gunzipSync(Buffer.from(packed!, 'base64')).toString()) as ViewData;
}

t.test('one file with everything inside', async (t) => {
  const p = net();
  t.teardown(() => p.dispose());
  const html = await p.view(undefined, { entry: 'train', dims: { batch: 4 }, title: hostile });
  t.match(html, /^<!doctype html>/);
  t.equal(html.match(/<script/g)?.length, 2, 'data and client');
  t.equal(html.match(/<\/script/g)?.length, 2, 'each ends once');
  t.notMatch(html, /<img/);
  t.match(html, /<title>&#60;\/script&#62;/);
  t.match(
    html,
    /content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"/,
  );
  t.notMatch(html, /(?:src|href)=["']?https?:/);

  const data = dataOf(html);
  t.equal(data.title, hostile);
  t.same(
    data.entries.map((e) => e.title),
    ['train(batch=4)'],
  );
  t.same(
    data.entries[0]!.inspection,
    JSON.parse(JSON.stringify(p.inspect({ entry: 'train', dims: { batch: 4 } }))),
  );
  t.equal(data.entries[0]!.profile, null);
});

t.test('a profile comes with its spans, for the entry that was run', async (t) => {
  const p = net();
  t.teardown(() => p.dispose());
  const profile = await p.profile('train', { x: { data: new Float32Array(12), shape: [4, 3] } }, { runs: 2 });
  await p.compile('train', { batch: 8 });
  const { entries } = dataOf(await p.view(undefined, { profile }));
  t.same(
    entries.map((e) => [e.title, e.profile?.runs ?? null]),
    [
      ['train(batch=4)', 2],
      ['train(batch=8)', null],
    ],
  );
  const { lanes, steps } = entries[0]!.profile!;
  t.equal(lanes.length, 1);
  t.equal(lanes[0]!.filter((s) => s.step !== null).length, steps.length);
  t.ok(lanes[0]!.every((s) => s.to >= s.from && s.from >= 0));
});

t.test('written where it is asked for; what is not compiled is not shown', async (t) => {
  const p = net();
  t.teardown(() => p.dispose());
  const path = join(tmpdir(), `heddle-view-${process.pid}.html`);
  t.teardown(() => rm(path, { force: true }));
  await t.rejects(p.view(path), {
    code: 'HDL0003',
    message: /^HDL0003: view\n {2}rule: nothing has been compiled yet/,
  });
  const html = await p.view(path, { entry: 'train', dims: { batch: 2 } });
  t.equal(await readFile(path, 'utf8'), html);
  await p.dispose();
  await t.rejects(p.view(path), { code: 'HDL1002' });
});
