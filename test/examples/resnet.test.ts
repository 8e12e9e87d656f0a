// The main example: it learns, shows what it compiles, and its command line says what is wrong.

import { tmpdir } from 'node:os';
import t from 'tap';
import { cosineRate, main } from '../../examples/resnet.ts';
import { runExample } from '../support/examples.ts';

// Anything that moves a cursor or changes a colour; what ends a line is not.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const control = /[\u0000-\u0009\u000b-\u001f\u007f\u009b]/;

t.test('learns ten kinds of figures', async (t) => {
  const lines: string[] = [];
  const accuracy = await main({
    train: 1000,
    test: 200,
    channels: 4,
    batchSize: 20,
    epochs: 6,
    log: (line) => lines.push(line),
  });
  const text = lines.join('\n');
  t.ok(accuracy! >= 0.4, `test accuracy ${accuracy}, chance is 0.1`, { text });
  for (const part of [
    /1000 pictures to learn from, 200 to be tested on/,
    /stage2\/shortcut\/conv1/,
    /Compiling train\(batch=20\)\n {2}trace +\d/,
    /train\(batch=20\): \d+ kernels/,
    /Epoch 6\/6 .*valAccuracy 0\.\d{4}/,
    /Test accuracy 0\.\d{4}/,
  ]) {
    t.match(text, part);
  }
  t.notMatch(text, control, 'no control characters in a log');
});

t.test('as a process: plain lines where there is no terminal', async (t) => {
  const { code, stdout, stderr } = await runExample('resnet', ['--dump', 'source', '--batch', '4']);
  t.equal(code, 0, stderr);
  t.match(stdout, /@stage1\/main\/conv1/, 'the dump is in the names of the program');
  t.notMatch(stdout + stderr, control);
});

t.test('wrong arguments: one line, exit code 1', async (t) => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [
      ['--epoch', '3'],
      "unknown argument '--epoch'; there are --data, --epochs, --batch, --channels, --threads, --target, --seed, --dump and --help",
    ],
    [
      ['train'],
      "unknown argument 'train'; there are --data, --epochs, --batch, --channels, --threads, --target, --seed, --dump and --help",
    ],
    [['--epochs', '0'], "--epochs takes a whole number of at least 1, not '0'"],
    [['--batch=1'], "--batch takes a whole number of at least 2, not '1'"],
    [['--threads'], '--threads takes a whole number of at least 1'],
    [['--target', 'gpu'], "--target takes one of wasm, js, not 'gpu'"],
    [
      ['--dump', 'plans'],
      "--dump takes one of source, graph, kernels, plan, memory, code, wat, js, not 'plans'",
    ],
    [['--data', `${tmpdir()}/no-such-folder`], `${tmpdir()}/no-such-folder: there is no such folder`],
  ];
  const outcomes = await Promise.all(cases.map(([args]) => runExample('resnet', args)));
  cases.forEach(([args, message], i) => {
    t.same(outcomes[i], { code: 1, stdout: '', stderr: `${message}\n` }, args.join(' '));
  });
});

t.test('--help', async (t) => {
  const { code, stdout } = await runExample('resnet', ['--help']);
  t.equal(code, 0);
  for (const flag of ['data', 'epochs', 'batch', 'channels', 'threads', 'target', 'seed', 'dump', 'help'])
    t.match(stdout, `--${flag}`);
});

t.test('the rate rises to its peak, then falls to zero', async (t) => {
  const rate = cosineRate(0.1, 100);
  t.ok(rate(0) > 0 && rate(0) < rate(4), 'the first steps are small');
  t.ok(Math.abs(rate(5) - 0.1) < 1e-9);
  t.ok(Math.abs(rate(52) - 0.05) < 2e-3, 'half of it in the middle');
  t.ok(rate(99) > 0 && rate(99) < 1e-4);
});
