// The op reference, from the records: one section per op, by family, in the order of the registry.

import type { OpDef } from '../graph/ir.ts';

/** Markdown for a set of ops, which are lowered to `targets`. */
export function documentOps(ops: Iterable<OpDef>, targets: string): string {
  const families = new Map<string, OpDef[]>();
  for (const op of ops) {
    const list = families.get(op.family);
    if (list) list.push(op);
    else families.set(op.family, [op]);
  }
  const lines = [
    '# Ops',
    '',
    'The primitives of Heddle, from their records (`npm run docs` writes this page). Everything else in the public API is',
    'a function of these ([below](#functions)). Public functions broadcast by the rules of NumPy; the primitives themselves',
    'are strict. No op has a kernel of its own: each says what one element of its result is, and the rest is common.',
    '',
  ];
  for (const [family, list] of families) {
    lines.push(`- ${family}: ${list.map((op) => `[${op.name}](#${op.name.toLowerCase()})`).join(', ')}`);
  }
  for (const [family, list] of families) {
    lines.push('', `## ${family}`);
    for (const op of list) lines.push('', ...section(op, targets));
  }
  return `${lines.join('\n')}\n`;
}

function section(op: OpDef, targets: string): string[] {
  const { doc } = op;
  const rows: [string, string][] = [
    ['formula', code(doc.formula)],
    ['types', code(doc.types)],
    ...Object.entries(doc.attrs ?? {}).map(([name, text]): [string, string] => [
      code(name),
      escapeCell(text),
    ]),
    [
      'gradient',
      typeof op.gradient === 'function'
        ? escapeCell(doc.kinks ?? 'everywhere')
        : `none: ${escapeCell(op.gradient.none)}`,
    ],
  ];
  rows.push(['targets', targetsOf(op, targets)]);
  if (doc.onnx) rows.push(['ONNX', escapeCell(doc.onnx)]);
  rows.push(['example', code(doc.example)]);
  return [
    `### ${op.name}`,
    '',
    doc.summary,
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([k, v]) => `| ${k} | ${v} |`),
  ];
}

/** Leaves are places in memory, and ops with regions are other ops by the time that a graph is lowered. */
function targetsOf(op: OpDef, targets: string): string {
  if (op.region !== undefined) return `${targets}, as the ops of its region`;
  return op.lower === 'leaf' ? `${targets}, as a value in memory` : targets;
}

function code(text: string): string {
  return `\`${escapeCell(text)}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
