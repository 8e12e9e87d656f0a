// @node-only
// From a path on the command line to a program: imports the module, TypeScript or not, and takes what it exports. In: a path
// and what to make the program with. Out: a program, or a UserError that says what is wrong with the module.

import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HeddleError } from '../../runtime/errors.ts';
import type { Program, ProgramOptions } from '../program.ts';
import * as hooks from './hooks.ts';
import { UserError } from './user-error.ts';

export interface LoadOptions {
  /** Name of the export; default `program`, `default` or `model`, the first that there is. */
  readonly export?: string | undefined;
  /** Handed to an export that is a function. */
  readonly options?: ProgramOptions;
}

const usualExports = ['program', 'default', 'model'];

/**
 * Imports a module that exports a program, a compiled model, or a function that makes one. Throws UserError when it cannot
 * be imported or exports no such thing, and what a function that makes a program throws.
 */
export async function loadProgram(path: string, of: LoadOptions = {}): Promise<Program> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UserError(`there is no file ${path}`);
  registerHooks();
  const exported = await importModule(path, file);
  const name = of.export ?? usualExports.find((n) => exported[n] !== undefined);
  const names = Object.keys(exported).filter((n) => n !== '__esModule');
  if (name === undefined || exported[name] === undefined) {
    throw new UserError(
      `${path} exports no ${of.export === undefined ? `program: one of ${usualExports.join(', ')}` : `'${of.export}'`}\n` +
        `  it exports ${names.length === 0 ? 'nothing' : names.join(', ')}\n` +
        '  try:  export const program = heddle.program({ … }), a function that returns one, or --export NAME',
    );
  }
  const value = exported[name];
  const given = Object.entries(of.options ?? {}).filter(([, x]) => x !== undefined);
  if (typeof value !== 'function' && given.length > 0) {
    throw new UserError(
      `${given.map(([key]) => `--${key}`).join(', ')}: export '${name}' of ${path} is a program already\n` +
        `  try:  export function ${name === 'default' ? 'program' : name}(options) { return heddle.program(entries, options); }`,
    );
  }
  const made: unknown = typeof value === 'function' ? await value(Object.fromEntries(given)) : value;
  const found = programOf(made);
  if (found !== null) return found;
  throw new UserError(
    `export '${name}' of ${path} is ${typeof value === 'function' ? 'a function that returns ' : ''}${describe(made)}\n` +
      '  rule: it is a program, a compiled Model, or a function that returns one of these',
  );
}

async function importModule(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof HeddleError || isHeddleError(error)) throw error;
    const { name = 'Error', message = String(error), stack = '' } = error as Partial<Error>;
    // The first frame in a file tells the line; the rest is how Node got there.
    const frame = /^ +at .*?\(?(file:\/\/\S+?:\d+:\d+)\)?$/m.exec(stack)?.[1];
    throw new UserError(
      `${path} cannot be imported: ${name}: ${message}${frame ? `\n  at:   ${frame}` : ''}`,
      { cause: error },
    );
  }
}

/** By what it can do, since a project may have its own copy of Heddle. */
function programOf(value: unknown): Program | null {
  const isProgram = (x: unknown): x is Program =>
    typeof x === 'object' && x !== null && ['dump', 'inspect', 'compile', 'dispose'].every((m) => m in x);
  if (typeof value !== 'object' || value === null) return null;
  // A model has a `program` once it is compiled, and says so when it is not.
  if ('fit' in value && 'program' in value) return isProgram(value.program) ? value.program : null;
  return isProgram(value) ? value : null;
}

export function isHeddleError(error: unknown): error is HeddleError {
  return error instanceof Error && error.name === 'HeddleError' && 'code' in error;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'record'}` : `a ${typeof value}`;
}

let areRegistered = false;

/** Once per process. Newer versions of Node take types off themselves and run hooks in this thread. */
function registerHooks(): void {
  if (areRegistered) return;
  areRegistered = true;
  const strips = Boolean((process.features as { readonly typescript?: unknown }).typescript);
  const inThread = (nodeModule as { readonly registerHooks?: (of: object) => void }).registerHooks;
  if (inThread !== undefined) {
    inThread(strips ? { resolve: hooks.resolve } : hooks);
    return;
  }
  nodeModule.register('./hooks.js', import.meta.url);
}
