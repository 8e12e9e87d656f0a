// docs/experiments.md: the table of what was measured, and how to measure it again.

import { digits, formatTable, type Row } from './results.ts';

/** The page. */
export function page(rows: readonly Row[]): string {
  const about = rows.map(({ experiment: e }) => `- \`${e.name}\`: ${e.about}`).join('\n');
  const wrong = rows.filter((r) => r.wrong.length > 0).length;
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

Steps per second of the fastest run: ${rows.map((r) => `${r.experiment.name} ${digits(r.stepsPerSecond)}`).join(', ')}.

${about}
`;
}
