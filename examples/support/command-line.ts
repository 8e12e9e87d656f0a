// The command line of the examples: flags are declared as data, from which come the parser, its errors and `--help`.
// In: the arguments. Out: a value for each flag, checked, or undefined. A wrong argument is an InputError.

import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { HeddleError } from '../../src/index.ts';
import { InputError } from './input-error.ts';

interface TextFlag {
  readonly kind: 'text';
  /** What stands for the value in the help: `DIR`. */
  readonly value: string;
  readonly help: string;
}

interface NumberFlag {
  readonly kind: 'number';
  /** The least whole number that is accepted. */
  readonly least: number;
  readonly help: string;
}

interface ChoiceFlag<C extends string = string> {
  readonly kind: 'choice';
  readonly of: readonly C[];
  readonly help: string;
}

export type Flag = TextFlag | NumberFlag | ChoiceFlag;

type ValueOf<F extends Flag> = F extends ChoiceFlag<infer C> ? C : F extends NumberFlag ? number : string;

export type Values<F extends Readonly<Record<string, Flag>>> = {
  readonly [K in keyof F]: ValueOf<F[K]> | undefined;
};

/**
 * Reads `--name value` and `--name=value`; null when `--help` is among them. Throws InputError for an unknown flag, a value
 * that is missing or does not fit, and anything that is no flag.
 */
export function parseFlags<const F extends Readonly<Record<string, Flag>>>(
  flags: F,
  args: readonly string[],
): Values<F> | null {
  const values: Record<string, string | number> = {};
  for (let i = 0; i < args.length; i++) {
    const [, name, inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(args[i]!) ?? [];
    if (name === 'help') return null;
    const flag = name !== undefined && Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (name === undefined || flag === undefined) {
      const known = Object.keys(flags).map((f) => `--${f}`);
      throw new InputError(`unknown argument '${args[i]}'; there are ${known.join(', ')} and --help`);
    }
    const text = inline ?? args[++i];
    if (text === undefined || text === '') throw new InputError(`--${name} takes ${describeValue(flag)}`);
    values[name] = readValue(name, flag, text);
  }
  return values as Values<F>;
}

function readValue(name: string, flag: Flag, text: string): string | number {
  const fits =
    flag.kind === 'text' ||
    (flag.kind === 'choice' ? flag.of.includes(text) : /^\d{1,9}$/.test(text) && Number(text) >= flag.least);
  if (!fits) throw new InputError(`--${name} takes ${describeValue(flag)}, not '${text}'`);
  return flag.kind === 'number' ? Number(text) : text;
}

function describeValue(flag: Flag): string {
  switch (flag.kind) {
    case 'text':
      return `a value: ${flag.value}`;
    case 'number':
      return `a whole number of at least ${flag.least}`;
    case 'choice':
      return `one of ${flag.of.join(', ')}`;
    default:
      return flag satisfies never;
  }
}

/** The lines that `--help` prints below a title. */
export function helpText(command: string, flags: Readonly<Record<string, Flag>>): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const value = flag.kind === 'text' ? flag.value : flag.kind === 'number' ? 'N' : flag.of.join('|');
    return [`--${name} ${value}`, flag.help] as const;
  });
  // A choice may be long: its help stands on a line of its own then.
  const width = 16;
  const line = ([usage, help]: readonly [string, string]): string =>
    usage.length <= width
      ? `  ${usage.padEnd(width)}  ${help}`
      : `  ${usage}\n  ${' '.repeat(width)}  ${help}`;
  return [`usage: ${command} [FLAG …]`, '', ...[...rows, ['--help', 'show this'] as const].map(line)].join(
    '\n',
  );
}

/**
 * Runs `main` when the module is the one that Node was started with. What a person can put right is printed as its message
 * alone; anything else keeps its stack trace. Either way the exit code is 1.
 */
export async function runAsScript(
  moduleUrl: string,
  main: (args: readonly string[]) => Promise<void>,
): Promise<void> {
  const started = process.argv[1];
  if (started === undefined || pathToFileURL(realpathSync(started)).href !== moduleUrl) return;
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    const isForReader = error instanceof InputError || error instanceof HeddleError;
    console.error(isForReader ? error.message : error);
    process.exitCode = 1;
  }
}
