// docs/experiments.md: the table of what was measured, and how to measure it again.

import { formatTable, markdownTable, type Row } from './results.ts';

/** What `npm run bench -- numpy --json FILE` writes. */
export interface SpeedReport {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly load: number;
  };
  readonly suites: {
    readonly numpy: readonly {
      readonly name: string;
      readonly threads: number;
      readonly heddle: number;
      readonly numpy: number;
      readonly ratio: number;
      readonly byCpu: number | null;
    }[];
  };
}

/** Figures in docs/images that the page shows, and what is to be seen. */
const shown: Readonly<Record<string, string>> = {
  'spiral-adam': 'What the net says of the plane, and its loss by step.',
  'product-2layer': 'One layer cannot learn a product; two can.',
  'circles-adam': 'The line at probability one half, and the loss by step.',
  'reverse-mode': 'The graph with values and adjoints.',
};

/** The page. */
export function page(rows: readonly Row[], speed: SpeedReport | null): string {
  const about = rows.map(({ experiment: e }) => `- \`${e.name}\`: ${e.about}`).join('\n');
  const wrong = rows.filter((r) => r.wrong.length > 0).length;
  const figures = Object.entries(shown)
    .map(
      ([name, text]) => `${text}

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="images/${name}-dark.svg">
  <img src="images/${name}.svg" alt="${text}" width="600">
</picture>`,
    )
    .join('\n\n');
  return `# Experiments

Small trainings with known ends. Each is a record in \`examples/experiments/\`; data, first weights and the order of examples follow
from the seed by streams that are the same in any language (\`examples/support/streams.ts\`). The losses of the first hundred steps
are compared with float64 runs of another implementation in \`test/examples/losses.test.ts\`.

\`\`\`sh
npm run examples -- --quick                       # what takes seconds
npm run examples -- spiral                        # seven spirals; figures go to out/figures
npm run examples -- --data DIR --json > all.jsonl # everything, a line for each experiment and seed
npm run bench -- numpy --json speed.json          # steps per second, beside NumPy
npm run examples -- --from all.jsonl --speed speed.json --write   # this page
\`\`\`

"wanted" is where the median over the seeds has to lie. ${wrong === 0 ? 'All do.' : `${wrong} of ${rows.length} do not.`}

${formatTable(rows)}

${speed === null ? '' : `${speedSection(speed)}\n\n`}## What they are

${about}

## Figures

\`npm run examples -- NAME\` draws them.

${figures}
`;
}

function speedSection({ machine, suites }: SpeedReport): string {
  const times = (ratio: number | null): string => (ratio === null ? '' : `${ratio.toFixed(1)} ×`);
  const table = markdownTable(
    ['experiment', 'Heddle, steps/s', 'NumPy, steps/s', 'ratio', 'of processor time'],
    suites.numpy.map((r) => [
      r.threads === 1 ? r.name : `${r.name}, ${r.threads} threads`,
      r.heddle.toFixed(0),
      r.numpy.toFixed(0),
      times(r.ratio),
      times(r.byCpu),
    ]),
  );
  return `## Beside NumPy

Training steps per second, on one thread where nothing else is said, beside the same steps in hand-written float32 NumPy
(\`bench/numpy/reference.py\`), which was given as many. Both take turns of 6 ms; the fastest of each counts. The last column is the ratio of
processor time over all turns, which does not depend on who else uses the machine. Measured on ${machine.cpu}, ${machine.cores} cores, Node
${machine.node}, at a load of ${machine.load.toFixed(0)} from other work; NumPy's matrix products use vectors of 8 or 16 floats where
WebAssembly has 4.

${table}`;
}
