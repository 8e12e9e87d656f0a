// docs/experiments.md: the table of what was measured, and how to measure it again.

import { formatTable, type Row } from './results.ts';

/** Figures in docs/images that the page shows, and what is to be seen. */
const shown: Readonly<Record<string, string>> = {
  'spiral-adam': 'What the net says of the plane, and its loss by step.',
  'product-2layer': 'One layer cannot learn a product; two can.',
  'circles-adam': 'The line at probability one half, and the loss by step.',
  'reverse-mode': 'The graph with values and adjoints.',
};

/** The page. */
export function page(rows: readonly Row[]): string {
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
npm run examples -- spiral --figures out          # seven spirals, with figures
npm run examples -- --data DIR --json > all.jsonl # everything, a line for each experiment and seed
npm run examples -- --from all.jsonl --write      # this page
\`\`\`

"wanted" is where the median over the seeds has to lie. ${wrong === 0 ? 'All do.' : `${wrong} of ${rows.length} do not.`}

${formatTable(rows)}

## What they are

${about}

## Figures

\`npm run examples -- NAME --figures DIR\` draws them.

${figures}
`;
}
