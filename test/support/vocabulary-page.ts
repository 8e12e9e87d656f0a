// The page of the training vocabulary, read from the doc comments that stand at the definitions: name, first sentence, and the
// tags `@formula` and `@source`. Functions without these tags are helpers and stay out.

import { readdirSync, readFileSync } from 'node:fs';
import { nn } from '../../src/index.ts';

const root = new URL('../../../', import.meta.url);

const sections: readonly (readonly [folder: string, title: string, note: string])[] = [
  [
    'losses',
    'Losses',
    'Prediction x and target t, or label y; K classes. `reduction` is `mean` (default), `sum` or `none`.',
  ],
  [
    'optimizers',
    'Optimizers',
    'Parameter p, gradient g, learning rate η, step t from 1. Rules are PyTorch’s where it has them.',
  ],
  [
    'schedules',
    'Learning-rate schedules',
    'Rate of step t, counted from 0, of T steps; largest rate η, last rate η₁.',
  ],
  ['initializers', 'Initializers', 'First values; `in` and `out` are the fan of the weight.'],
  [
    'regularizers',
    'Regularizers',
    'Terms of what training minimizes: `nn.dense(10, { regularizer })`, `activityRegularizer` for outputs.',
  ],
  ['constraints', 'Constraints', 'What holds for weights after each update: `nn.dense(10, { constraint })`.'],
  ['metrics', 'Metrics', 'Exact over batches of any size: sums, or values kept to the end of the epoch.'],
  [
    'callbacks',
    'Callbacks',
    'What happens beside training: `fit({ callbacks: [callbacks.earlyStopping()] })`. η is the learning rate.',
  ],
];

export interface Definition {
  readonly name: string;
  readonly summary: string;
  readonly formula: string;
  readonly source: string;
  readonly file: string;
}

/** Definitions of one folder of `src/`, by file and then in the order in which they stand. */
export function definitionsIn(folder: string): Definition[] {
  return readdirSync(new URL(`src/${folder}/`, root))
    .filter((f) => f.endsWith('.ts') && f !== 'index.ts')
    .sort()
    .flatMap((f) => {
      const file = `src/${folder}/${f}`;
      const text = readFileSync(new URL(file, root), 'utf8');
      const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:function|const) (\w+)/g;
      return [...text.matchAll(pattern)].flatMap(([, comment, name]): Definition[] => {
        const lines = comment!.split('\n').map((l) => l.replace(/^\s*\* ?/, '').trim());
        const tag = (key: string): string | undefined =>
          lines.find((l) => l.startsWith(`@${key} `))?.slice(key.length + 2);
        const formula = tag('formula');
        if (formula === undefined) return [];
        const about = lines.filter((l) => l !== '' && !l.startsWith('@')).join(' ');
        const summary = /^.*?\.(?= |$)/.exec(about)?.[0] ?? about;
        return [
          { name: name!, summary: summary.replace(/\.$/, ''), formula, source: tag('source') ?? '—', file },
        ];
      });
    });
}

/** Layers, by file: name, what the comment says first, example. */
function layerRows(): string[] {
  const folder = new URL('src/nn/', root);
  return readdirSync(folder)
    .filter((f) => f.endsWith('.ts'))
    .sort()
    .flatMap((f) => {
      const text = readFileSync(new URL(f, folder), 'utf8');
      const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:function|const) (\w+)/g;
      return [...text.matchAll(pattern)].flatMap(([, comment, name]) => {
        if (!(name! in nn)) return [];
        const lines = comment!.split('\n').map((l) => l.replace(/^\s*\* ?/, '').trim());
        const tags = lines.findIndex((l) => l.startsWith('@'));
        const about = (tags < 0 ? lines : lines.slice(0, tags)).filter((l) => l !== '').join(' ');
        const first = /^.*?[.:](?= |$)/.exec(about)?.[0] ?? about;
        const from = lines.findIndex((l) => l.startsWith('@example'));
        const example = from < 0 ? '' : lines.slice(from).join(' ').slice('@example'.length).trim();
        const shown = example || (/`(nn\.\w+\([^`]*\))`/.exec(about)?.[1] ?? `nn.${name}()`);
        return [
          `| [\`${name}\`](../src/nn/${f}) | ${first.replace(/[.:]$/, '').replaceAll('|', '\\|')} | \`${shown}\` |`,
        ];
      });
    });
}

export function documentVocabulary(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const lines = sections.flatMap(([folder, title, note]) => [
    `## ${title}`,
    '',
    note,
    '',
    '| name | what | formula | source |',
    '|---|---|---|---|',
    ...definitionsIn(folder).map(
      (d) =>
        `| [\`${d.name}\`](../${d.file}) | ${cell(d.summary)} | ${cell(d.formula)} | ${cell(d.source)} |`,
    ),
    '',
  ]);
  return `${[
    '# The training vocabulary',
    '',
    'Layers, losses, optimizers, schedules, initializers, regularizers, constraints, metrics, callbacks. Each is one definition,',
    'at the link; `npm run docs` writes this page from the comments that stand there.',
    '',
    '## Layers',
    '',
    'N examples, C channels; spatial dimensions come last. All take `name`, `trainable`, `regularizer`, `constraint` and',
    '`activityRegularizer`.',
    '',
    '| name | what | example |',
    '|---|---|---|',
    ...layerRows(),
    '',
    ...lines,
  ]
    .join('\n')
    .trimEnd()}\n`;
}
