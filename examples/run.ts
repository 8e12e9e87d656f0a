// npm run examples [-- NAME …] [--quick] [--json] [--seeds 1,2] [--data DIR] [--figures DIR] [--from FILE] [--speed FILE] [--write]
//
// Runs experiments (all, or those whose names contain one of the words) for each seed, and prints a table: what was measured
// beside what has to come out. Figures of the first seed go to a folder. With `--write` the table becomes docs/experiments.md.
// The exit code is 1 when a number is out of range.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createProgress, type Progress, silent } from '../src/index.ts';
import { experiments } from './experiments/index.ts';
import { runAsScript } from './support/command-line.ts';
import type { Experiment } from './support/experiment.ts';
import { InputError } from './support/input-error.ts';
import { page, type SpeedReport } from './support/page.ts';
import { formatTable, parseResults, type Result, resultOf, rowsOf } from './support/results.ts';
import { writeFigure } from './support/write-figure.ts';

/** From build/examples/ to the root. */
const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Settings {
  readonly chosen: readonly Experiment[];
  readonly seeds: readonly number[];
  readonly json: boolean;
  readonly data: string | undefined;
  readonly figures: string | undefined;
  readonly from: string | undefined;
  readonly speed: string | undefined;
  readonly write: boolean;
}

const help = `npm run examples [-- NAME …] [flags]

  NAME …          experiments whose names contain one of the words (all)
  --quick         without those that take minutes
  --seeds 1,2     seeds (1,2,3,4,5)
  --data DIR      folder with mnist/, cifar10-small/ or classics/; without it, what reads data is left out
  --json          one line of JSON for each experiment and seed, and nothing else on the standard output
  --figures DIR   where figures of the first seed go, as SVG and PNG, light and dark (out/figures; none with --json); none: nowhere
  --from FILE     takes results from a file of such lines, runs nothing
  --speed FILE    what npm run bench -- numpy --json FILE wrote, for the page
  --write         writes docs/experiments.md`;

/** What the arguments say; null for `--help`. Throws InputError. */
export function parseSettings(args: readonly string[]): Settings | null {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new InputError((error as Error).message.split('. ')[0]!.toLowerCase());
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const seeds = values.seeds.split(',').map(Number);
  if (!seeds.every((s) => Number.isInteger(s) && s >= 0)) {
    throw new InputError(`--seeds takes whole numbers, 1,2,3, not '${values.seeds}'`);
  }
  const unknown = positionals.find((word) => !experiments.some((e) => e.name.includes(word)));
  if (unknown !== undefined) {
    throw new InputError(
      `no experiment '${unknown}'; there are ${experiments.map((e) => e.name).join(', ')}`,
    );
  }
  const chosen = experiments.filter(
    (e) =>
      (positionals.length === 0 || positionals.some((word) => e.name.includes(word))) &&
      !(values.quick && e.isSlow),
  );
  const { json, data, from, speed, write } = values;
  const folder = values.figures ?? (json ? 'none' : join(root, 'out/figures'));
  const figures = folder === 'none' ? undefined : folder;
  return { chosen, seeds, json, data, figures, from, speed, write };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '1,2,3,4,5' },
      data: { type: 'string' },
      figures: { type: 'string' },
      from: { type: 'string' },
      speed: { type: 'string' },
    },
  });
}

/** Runs what the settings say; returns whether everything lies where it has to. */
export async function runExamples(
  settings: Settings,
  log: (line: string) => void = console.log,
): Promise<boolean> {
  const { chosen, json, from, speed, write } = settings;
  const results =
    from === undefined
      ? await runAll(settings, log)
      : parseResults(await readText(from), from).filter((r) => chosen.some((e) => e.name === r.experiment));
  const rows = rowsOf(chosen, results);
  if (!json) log(`\n${formatTable(rows)}`);
  if (!json && from === undefined && settings.figures !== undefined) log(`\nfigures: ${settings.figures}`);
  if (write) {
    const path = join(root, 'docs/experiments.md');
    const report = speed === undefined ? null : (JSON.parse(await readText(speed)) as SpeedReport);
    await writeFile(path, page(rows, report));
    if (!json) log(`\n${path}`);
  }
  return rows.every((row) => row.wrong.length === 0);
}

async function runAll(settings: Settings, log: (line: string) => void): Promise<Result[]> {
  const { chosen, seeds, json, data, figures } = settings;
  const progress: Progress = json ? silent : createProgress();
  const results: Result[] = [];
  for (const experiment of chosen) {
    const { name, needs } = experiment;
    if (needs !== undefined && data === undefined) {
      if (!json) log(`${name}: left out, it reads ${needs}/ from the folder that --data names`);
      continue;
    }
    for (const seed of seeds) {
      progress.begin(`${name}, seed ${seed}`, 100);
      // A figure shows the first seed.
      const folder = seed === seeds[0] ? figures : undefined;
      const outcome = await experiment.run(seed, {
        data,
        figure: folder !== undefined,
        onProgress: (share) => progress.update(Math.round(100 * share), {}),
      });
      const result = resultOf(experiment, seed, outcome);
      results.push(result);
      progress.end({ [experiment.metric]: result.value, 'steps/s': result.steps_per_second });
      if (json) log(JSON.stringify(result));
      if (folder !== undefined && outcome.figure !== undefined)
        await writeFigure(folder, name, outcome.figure);
    }
  }
  return results;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: cannot be read (${error.code ?? String(error)})`);
  });
}

await runAsScript(import.meta.url, async (args) => {
  const settings = parseSettings(args);
  if (settings === null) console.log(help);
  else if (!(await runExamples(settings))) process.exitCode = 1;
});
