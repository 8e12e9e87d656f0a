// @node-only
// The command `heddle`. Each verb is a file of commands/; this one declares flags and turns errors into exit codes:
//
//   0  done
//   1  what a person can put right: a module that is wrong, a file that is not there
//   2  a command line that is wrong
//
// What else goes wrong is our mistake, and keeps its stack trace.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { dumpStages } from '../../compiler/dump.ts';
import { compilerVersion } from '../../compiler/version.ts';
import { readDims } from './choose.ts';
import { check } from './commands/check.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { dump } from './commands/dump.ts';
import { planCsv } from './commands/plan-csv.ts';
import { profile } from './commands/profile.ts';
import { run } from './commands/run.ts';
import { view } from './commands/view.ts';
import { isHeddleError, type LoadOptions } from './load.ts';
import { UserError } from './user-error.ts';

/** Flags that say which program, before a command's own. */
interface ProgramFlags {
  readonly export?: string;
  readonly threads?: number;
  readonly target?: 'wasm' | 'js';
  readonly relaxed?: boolean;
}

const stages = Object.keys(dumpStages).filter((stage) => !stage.startsWith('pass:'));

export function commandLine(): Command {
  const heddle = new Command('heddle')
    .description('See, profile, check and run what Heddle compiles.')
    .version(compilerVersion)
    .showHelpAfterError('(heddle COMMAND --help says more)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
MODULE is a file that exports a program: \`program\`, a default export or \`model\`; a Program, a compiled Model, or a
function that returns one of them. TypeScript will do. Exit codes: 0 done, 1 something to put right, 2 wrong usage.

Examples:
  heddle view examples/resnet.ts -o resnet.html       a picture of everything
  heddle dump net.ts --kernel 12                      the loops of one kernel
  heddle dump net.ts --after simplify --full          the graph after a pass
  heddle diff yesterday.json net.ts                   what changed
  heddle profile net.ts --dims batch=64 --runs 50     where the time goes
  heddle doctor                                       what this machine can do`,
    );

  withEntry(heddle.command('dump'))
    .description('print a stage of the compiler')
    .argument('<module>', 'exports a program')
    .argument('[stage]', `${stages.join(', ')}, pass:NAME (default: plan)`)
    .option('--full', 'all of it; graphs and plans then read back')
    .option('--kernel <n>', 'one kernel of `kernels` or `code`, by number or name')
    .option('--passes', 'the passes, in order')
    .option('--before <pass>', 'the graph before a pass')
    .addOption(new Option('--after <pass>', 'the graph after a pass').conflicts('before'))
    .option('--only-changed', 'of passes: those that changed something; of pass:NAME: what it changed')
    .option('--depth <n>', 'of `dot`: fold scopes that lie deeper', count(0))
    .option('--json', 'everything, as JSON (docs/schema/inspection.json)')
    .option('--dot', "the graph in Graphviz's language")
    .option(
      '--diff <other>',
      'what changed since OTHER: a module or a JSON dump; as `heddle diff OTHER MODULE`',
    )
    .option('-o, --output <file>', 'write there instead of standard output')
    .action((module: string, stage: string | undefined, flags) =>
      flags.diff === undefined
        ? dump(module, stage, flags, loading(flags))
        : diff(flags.diff, module, flags, loading(flags)),
    );

  withEntry(heddle.command('view'))
    .description('write a page that shows the graph, memory, schedule, roofline, kernels and passes')
    .argument('<module>', 'exports a program')
    .requiredOption('-o, --output <file>', 'the page: one HTML file, which needs no network')
    .option('--all', 'every entry, not one alone')
    .option('--profile', 'run the entry, and show what was measured beside what was predicted')
    .option('--runs <n>', 'runs that are measured', count(1), 20)
    .option('--inputs <file>', 'of --profile: JSON of arrays by name; default: made-up values')
    .option('--title <title>', 'of the page; default: the name of the file')
    .action((module: string, flags) => view(module, flags, loading(flags)));

  withEntry(heddle.command('profile'))
    .description('run an entry and show where the time goes')
    .argument('<module>', 'exports a program')
    .option('--inputs <file>', 'JSON of arrays by name; default: made-up values')
    .option('--runs <n>', 'runs that are measured', count(1), 20)
    .option('--top <n>', 'steps that are listed', count(1), 20)
    .option('--kernels', 'a second table, by kernel')
    .option('--schedules', 'how the loops of each step were chosen')
    .option('--trace <file>', 'a trace for chrome://tracing and ui.perfetto.dev')
    .option('--json', 'the profile as JSON')
    .option('-o, --output <file>', 'write there instead of standard output')
    .action((module: string, flags) => profile(module, flags, loading(flags)));

  withEntry(heddle.command('run'))
    .description('run an entry and print what it returns')
    .argument('<module>', 'exports a program')
    .option('--inputs <file>', 'JSON of arrays by name; default: made-up values')
    .option('--steps <n>', 'how often', count(1), 1)
    .option('--json', 'outputs as JSON')
    .option('-o, --output <file>', 'write there instead of standard output')
    .action((module: string, flags) => run(module, flags, loading(flags)));

  withEntry(heddle.command('check'))
    .description('compile every entry with all that can be verified, and prove its plan safe; runs nothing')
    .argument('<module>', 'exports a program')
    .option('--json', 'results as JSON')
    .action((module: string, flags) => check(module, flags, loading(flags)));

  withEntry(heddle.command('diff'))
    .description('what changed between two compilations')
    .argument('<a>', 'a module, or JSON that `heddle dump --json` wrote')
    .argument('<b>', 'the same; what is new in it is `added`')
    .option('--entry-b <name>', 'entry of the second, if another')
    .option('--dims-b <dims>', 'sizes of the second, if others', readDims)
    .option('--export-b <name>', 'export of the second, if another')
    .option('--full', 'lists are not cut')
    .option('--json', 'the comparison as JSON')
    .option('--exit-code', 'end with code 1 when the plans differ')
    .option('-o, --output <file>', 'write there instead of standard output')
    .action((a: string, b: string, flags) => diff(a, b, flags, loading(flags)));

  heddle
    .command('doctor')
    .description('what this machine and this Node can do, and what that means')
    .option('--json', 'as JSON')
    .action((flags) => doctor(flags));

  heddle
    .command('plan-csv')
    .description('place the buffers of a CSV file (id,lower,upper,size) in memory')
    .argument('<file>')
    .option('--effort <n>', 'looks at buffers that the search may spend', count(0), 40_000_000)
    .option('-o, --output <file>', 'write there instead of standard output')
    .action((file: string, flags) => planCsv(file, flags));

  return heddle;
}

function withEntry(command: Command): Command {
  return command
    .option('--entry <name>', 'entry of the program (default: the only one, or `train`)')
    .option('--dims <dims>', 'sizes of named dimensions: batch=64,time=16', readDims)
    .option('--export <name>', 'name of the export')
    .option('--threads <n>', 'for an export that is a function: threads that compute', count(1))
    .addOption(
      new Option('--target <target>', 'for an export that is a function: what is emitted').choices([
        'wasm',
        'js',
      ]),
    )
    .option('--no-relaxed', 'for an export that is a function: no fused multiply-add');
}

function loading({ export: name, threads, target, relaxed }: ProgramFlags): LoadOptions {
  return { export: name, options: { threads, target, ...(relaxed === false && { relaxed }) } };
}

function count(least: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,12}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`It takes a whole number of at least ${least}.`);
  };
}

/** Runs the command line; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // Everything that a compilation can verify, for the code that is imported from here on.
  if (args.includes('check')) process.env['HEDDLE_VERIFY'] = '1';
  const heddle = commandLine();
  for (const command of [heddle, ...heddle.commands]) command.exitOverride();
  try {
    await heddle.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UserError || isHeddleError(error))) throw error;
    process.stderr.write(`heddle: ${error.message}\n`);
    if (process.env['HEDDLE_DEBUG'] && error.cause instanceof Error)
      process.stderr.write(`${error.cause.stack}\n`);
    return 1;
  }
}
