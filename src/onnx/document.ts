// The page docs/onnx.md, from the table of operators.

import { exportRules } from './export/table.ts';
import type { OnnxOp } from './operator.ts';
import { onnxOperators } from './table.ts';

/** Markdown for all operators that are known, and for those that are refused. */
export function documentOnnx(): string {
  const all = [...onnxOperators.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const [refused, imported] = [all.filter((o) => o.isRefused), all.filter((o) => !o.isRefused)];
  return `${[
    '# ONNX',
    '',
    '`importOnnx(bytes)` reads a model (opsets 7 to 28, older ones as far as stated here) and gives `{ inputs, outputs,',
    'variables, build }` for `entry`. This page is made from the table of operators (`npm run docs`).',
    '',
    '- Floats of 16, 32 and 64 bits are computed in f32; only a cast to 16 bits rounds to their precision.',
    '- Integers are i32, `uint32` and `uint64` are u32. Integers of less than 32 bits wrap as in ONNX. Those of 64 bits must',
    '  fit: the ends of their range become the ends of the narrow one, any other number is refused (HDL0021).',
    '- Shapes, axes, pads and the like must follow from constants, from shapes, or from inputs that are given as `constants`',
    '  (HDL0022 names the input otherwise).',
    '- Loops and recurrent layers are written out; a branch is chosen while the model is built. Functions of the model are',
    '  built in place.',
    '- Attributes that an operator does not know are refused (HDL0021), never ignored.',
    '- In an entry with `training`, batch normalization uses the statistics of the batch and dropout drops.',
    '',
    `## Imported: ${imported.length} operators`,
    '',
    '| operator | versions | limits |',
    '|---|---|---|',
    ...imported.map((o) => `| ${name(o)} | ${versions(o)} | ${cell(o.limits ?? '')} |`),
    '',
    `## Refused by name: ${refused.length} operators`,
    '',
    '| operator | why |',
    '|---|---|',
    ...refused.map((o) => `| ${name(o)} | ${cell(o.limits ?? '')} |`),
    '',
    `## Exported: ${exportRules.size} primitives`,
    '',
    '`program.exportOnnx(entry, dims)` writes an entry for given sizes as a model of opset 20: what other runtimes run and what',
    'Netron shows, with scopes in the names of operators. Variables are initializers with their current values; those that the',
    'entry assigns are inputs, too, and `next/…` outputs give their new values. Loops are written out. Refused with the line',
    '(HDL0021): `bitcast`, random numbers (`randomBits`, `foldIn`), right shifts of i32, windows of more than 64 elements over',
    'integers or over more than three dimensions, and ops of your own. `erfc` is exact to the precision of 1; checks are left out.',
    '',
    [...exportRules.keys()].map((rule) => `\`${rule}\``).join(', '),
  ].join('\n')}\n`;
}

function key(o: OnnxOp): string {
  return `${o.domain}:${o.name}`;
}

function name(o: OnnxOp): string {
  return o.domain === '' ? o.name : `${o.domain}.${o.name}`;
}

function versions(o: OnnxOp): string {
  return Object.entries(o.versions)
    .map(([v, what]) => `${v}: ${cell(what)}`)
    .join('; ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
