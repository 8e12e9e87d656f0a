// Progress in a terminal and in a log, from an injected sink and clock.

import t from 'tap';
import { createProgress, formatNumber, formatSeconds, type Sink } from '../../src/index.ts';

function record(isTTY: boolean): { readonly sink: Sink; readonly written: string[] } {
  const written: string[] = [];
  return { written, sink: { isTTY, columns: 100, write: (text) => void written.push(text) } };
}

t.test('a terminal: one line, rewritten', async (t) => {
  const { sink, written } = record(true);
  let time = 0;
  const progress = createProgress({ sink, now: () => time, unit: 'img' });
  progress.begin('Epoch 1/2', 1000);
  time = 1000;
  progress.update(250, { loss: 1.23456 });
  time = 1010;
  progress.update(260, { loss: 1.2 });
  time = 4000;
  progress.end({ loss: 0.5, accuracy: 0.875 });
  t.same(written, [
    '\r\x1b[KEpoch 1/2  ━━━━━───────────────   25 %  loss 1.2346  250 img/s  ETA 3.0 s',
    '\r\x1b[KEpoch 1/2  loss 0.5000  accuracy 0.8750  250 img/s  4.0 s\n',
  ]);
});

t.test('a total that is not known: no share, no end in sight', async (t) => {
  for (const isTTY of [true, false]) {
    const { sink, written } = record(isTTY);
    let time = 0;
    const progress = createProgress({ sink, now: () => time });
    progress.begin('Epoch 1/2', 0);
    time = 40_000;
    progress.update(400, { loss: 1 });
    time = 80_000;
    progress.update(800, { loss: 1 });
    progress.end({ loss: 0.5 });
    const shown = written.map((line) => line.replace('\r\x1b[K', '').trim());
    t.equal(shown[0]!.replace(/ +/g, ' '), 'Epoch 1/2 400 loss 1.0000 10/s');
    t.equal(shown.at(-1), 'Epoch 1/2  loss 0.5000  10/s  1 min 20 s');
  }
});

t.test('a terminal line is cut to its width', async (t) => {
  const { sink, written } = record(true);
  const progress = createProgress({ sink: { ...sink, columns: 30 }, now: () => 0 });
  progress.begin('Epoch 1/2', 10);
  progress.update(5, { loss: 1 });
  t.equal(written[0]!.replace('\r\x1b[K', '').length, 29);
});

t.test('a log: plain lines, no control characters', async (t) => {
  const { sink, written } = record(false);
  let time = 0;
  const progress = createProgress({ sink, now: () => time });
  progress.begin('Epoch 1/1', 100);
  for (time = 1000; time <= 60_000; time += 1000) progress.update(time / 1000, { loss: 2 });
  progress.end({ loss: 1 });
  t.same(written, [
    'Epoch 1/1  30 %  loss 2.0000  1.0/s  ETA 1 min 10 s\n',
    'Epoch 1/1  60 %  loss 2.0000  1.0/s  ETA 40 s\n',
    'Epoch 1/1  loss 1.0000  1.6/s  1 min 1 s\n',
  ]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
  t.notMatch(written.join(''), /[\x00-\x09\x0b-\x1f]/);
});

t.test('numbers and times', async (t) => {
  t.same([0.04123, 12.345, 4.12e-6, 0, Number.NaN, 123456].map(formatNumber), [
    '0.0412',
    '12.35',
    '4.120e-6',
    '0.0000',
    'NaN',
    '1.235e+5',
  ]);
  t.same([0.423, 4.23, 42.3, 200, 7500].map(formatSeconds), [
    '0.42 s',
    '4.2 s',
    '42 s',
    '3 min 20 s',
    '2 h 5 min',
  ]);
});
