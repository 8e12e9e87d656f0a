// @node-only
// How modules of users are found and read, on every Node that Heddle supports: TypeScript loses its types where Node would
// not take them off by itself, and `heddle` means this very package where the module's own folder has no other.
//
// Works in the thread of the modules (`registerHooks`, Node 22.15) and in a thread of its own (`register`, Node 20): so
// nothing here is asynchronous, but for what the next hook returns.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from '@swc/wasm-typescript';

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}

interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: boolean;
}

type Context = { readonly parentURL?: string | undefined };
type NextResolve = (specifier: string, context: Context) => Resolved | Promise<Resolved>;
type NextLoad = (url: string, context: object) => Loaded | Promise<Loaded>;

/** From build/src/cli/ to the root of the package. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const sources = /^(src|compiler|runtime)[\\/].*\.ts$/;

/** What package.json exports. */
const exports = (
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { readonly default: string }>;
  }
).exports;

export function resolve(
  specifier: string,
  context: Context,
  next: NextResolve,
): Resolved | Promise<Resolved> {
  const { parentURL } = context;
  if (/^heddle(\/|$)/.test(specifier) && !hasOwnHeddle(parentURL)) {
    const target = exports[`.${specifier.slice('heddle'.length)}`];
    if (target !== undefined) {
      const path = typeof target === 'string' ? target : target.default;
      return { url: pathToFileURL(join(root, path)).href, shortCircuit: true };
    }
  }
  // Examples in this package import its sources: what was built from them is the same, and has workers.
  if (specifier.startsWith('.') && specifier.endsWith('.ts') && parentURL?.startsWith('file:')) {
    const path = fileURLToPath(new URL(specifier, parentURL));
    const inside = path.startsWith(root) ? path.slice(root.length) : '';
    const built = join(root, 'build', inside.replace(/\.ts$/, '.js'));
    if (sources.test(inside) && existsSync(built))
      return { url: pathToFileURL(built).href, shortCircuit: true };
  }
  return next(specifier, context);
}

export function load(url: string, context: object, next: NextLoad): Loaded | Promise<Loaded> {
  if (!/^file:.*\.m?ts$/.test(url)) return next(url, context);
  const path = fileURLToPath(url);
  const source = readFileSync(path, 'utf8');
  try {
    const { code } = transformSync(source, { mode: 'strip-only', filename: path });
    return { format: 'module', source: code, shortCircuit: true };
  } catch (error) {
    throw new SyntaxError(describe(path, error));
  }
}

/** Whether a package of this name is installed above the module: a project uses its own. */
function hasOwnHeddle(parentURL: string | undefined): boolean {
  if (!parentURL?.startsWith('file:')) return false;
  for (let at = dirname(fileURLToPath(parentURL)); ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', 'heddle', 'package.json'))) return true;
    if (at === dirname(at) || `${at}${sep}` === root) return false;
  }
}

/** What the transformer throws is a record, with the place. */
function describe(path: string, error: unknown): string {
  const { message, startLine, snippet } = error as Partial<Record<string, string>>;
  return `${path}${startLine ? `:${startLine}` : ''}: ${message ?? String(error)}${snippet ? `\n${snippet.trimEnd()}` : ''}`;
}
