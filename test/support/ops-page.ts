// docs/ops.md: the primitives from their records, and every public function from the doc comment at its definition, with
// the dtypes and gradients that test/ops/public.test.ts holds it to.

import { readdirSync, readFileSync } from 'node:fs';
import { documentOps } from '../../compiler/ops/document.ts';
import * as publicOps from '../../compiler/ops/index.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { backends } from '../../compiler/target/backends.ts';
import { onnxOperators } from '../../src/onnx/table.ts';
import { publicFunctions } from './public-functions.ts';

const folder = new URL('../../../compiler/ops/', import.meta.url);

export interface DocumentedFunction {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly formula: string | undefined;
  readonly example: string | undefined;
}

/** The public functions that a file defines, in the order in which they stand. */
function functionsIn(file: string): DocumentedFunction[] {
  const source = readFileSync(new URL(file, folder), 'utf8');
  // `export { finite as isFinite }`
  const renamed = new Map(
    [...source.matchAll(/\b(\w+) as (\w+)\b(?=[^;]*\};)/g)].map(([, own, name]) => [own!, name!]),
  );
  const found = [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(export )?(?:function|const) (\w+)/g)];
  return found.flatMap(([, comment, exported, own]) => {
    const name = exported === undefined ? renamed.get(own!) : own!;
    return name !== undefined && name in publicOps ? [{ name, file, ...partsOf(comment!) }] : [];
  });
}

/** A comment's sentences, its formula and its example, which is a tag, an indented line, or the code that ends it. */
function partsOf(comment: string): Pick<DocumentedFunction, 'text' | 'formula' | 'example'> {
  const lines = comment.split('\n').map((l) => l.replace(/^\s*\*? ?/, '').trimEnd());
  const tag = (key: string): string | undefined =>
    lines.find((l) => l.startsWith(`@${key} `))?.slice(key.length + 2);
  const indented = lines.filter((l) => l.startsWith('    ')).map((l) => l.trim());
  const prose = lines.filter((l) => !l.startsWith('@') && !l.startsWith('    ')).map((l) => l.trim());
  const text = prose.join(' ').replace(/\s+/g, ' ').trim();
  const last = /[.:]? ?`([^`]*\([^`]*)`\.?$/.exec(text);
  const example = tag('example') ?? indented[0] ?? last?.[1];
  return {
    text: example === last?.[1] && last ? `${text.slice(0, last.index)}.` : text,
    formula: tag('formula'),
    example,
  };
}

export const documentedFunctions: readonly DocumentedFunction[] = readdirSync(folder)
  .filter((f) => f.endsWith('.ts'))
  .sort()
  .flatMap(functionsIn)
  .filter((f, i, all) => all.findIndex((g) => g.name === f.name) === i);

export function documentAllOps(): string {
  const targets = Object.keys(backends).join(', ');
  return `${documentOps(registry.values(), targets)}${functionsPart()}`;
}

function functionsPart(): string {
  const tested = new Map(publicFunctions.map((f) => [f.name, f]));
  const onnx = new Map([...onnxOperators.values()].map((o) => [o.name.toLowerCase(), o.name]));
  const files = new Map<string, DocumentedFunction[]>();
  for (const f of documentedFunctions) files.set(f.file, [...(files.get(f.file) ?? []), f]);
  const lines = [
    '',
    '# Functions',
    '',
    'What programs call, by file: functions of the primitives above, each a scope of its name in dumps. They run on every',
    `target (${Object.keys(backends).join(', ')}), since their primitives do. Dtypes are those of the first operands; a gradient is checked`,
    'against differences of the interpreter in float64, to the order that is given; gradients of gradients are graphs too.',
  ];
  for (const [file, list] of files) {
    lines.push(
      '',
      `## ${file.replace(/\.ts$/, '')}`,
      '',
      '| function | what | dtypes | gradient | ONNX | example |',
      '|---|---|---|---|---|---|',
    );
    for (const f of list) {
      const row = tested.get(f.name);
      const gradient = row === undefined ? '' : (['none', 'first order', 'second order'][row.smooth] ?? '');
      const what = f.formula === undefined ? f.text : `${f.text} ${code(f.formula)}`;
      const cells = [
        `[\`${f.name}\`](../compiler/ops/${file})`,
        what,
        row?.dtypes.join(', ') ?? '',
        gradient,
        onnx.get(f.name.toLowerCase()) ?? '',
        f.example === undefined ? '' : code(f.example),
      ];
      lines.push(`| ${cells.map(cell).join(' | ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
