// The spiral example: it learns, and its command line says what is wrong.

import t from 'tap';
import { main } from '../../examples/spiral.ts';
import { runExample } from '../support/examples.ts';

t.test('learns three arms that no line separates', async (t) => {
  const lines: string[] = [];
  const accuracy = await main({ epochs: 60, seed: 1, log: (line) => lines.push(line) });
  t.ok(accuracy >= 0.85, `accuracy ${accuracy} after 60 of 200 epochs, chance is 0.333`);
  t.match(lines.at(-1), /^accuracy 0\.\d{3}, \d+ steps\/s$/);
});

t.test('a wrong flag: one line, exit code 1', async (t) => {
  const { code, stdout, stderr } = await runExample('spiral', ['--lr', '0.1']);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.equal(stderr, "unknown argument '--lr'; there are --epochs, --threads, --target, --seed and --help\n");
});
