// Finds the user's line: the first stack frame outside of Heddle's own three folders.
//
// Every node asks for it, so it must be cheap: V8 hands over its frames as they are, and only the one that is wanted is
// looked at closely. Other engines have nothing but text.

import { nodeModule } from '../../runtime/node.ts';
import type { SourceLocation } from './ir.ts';

/** Frames to look through; and at first, since to collect them takes time. */
const depth = 40;
const nearDepth = 12;

/** The frame of who called `callerLocation`: always our own. */
const callerDepth = 2;

/** What this file says that it is called: nothing in classic scripts, and in some bundles what it was called before. */
const name: string | undefined = import.meta.url;
/** What the engine calls the script that it is in. */
const script = runningScript() ?? name;
const isBundled = name === undefined || ![name, pathOf(name)].includes(script!) || !isUnbundled(name);
/** How names of our own files begin. */
const own = ownFiles();

/** A frame as V8 gives it. Line and column count from 1. */
interface Frame {
  getScriptNameOrSourceURL(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
}

/** What V8 adds to Error. */
interface StackControl {
  stackTraceLimit?: number | undefined;
  prepareStackTrace?: ((error: Error, frames: readonly Frame[]) => unknown) | undefined;
}

/** The location of the innermost frame that is not Heddle's, or null when the engine does not tell. */
export function callerLocation(): SourceLocation | null {
  const near = currentStack(nearDepth);
  if (typeof near !== 'string') {
    const caller = isBundled ? nameOf(near[callerDepth]) : null;
    const found = fromFrames(near, caller);
    if (found !== null || near.length < nearDepth) return found;
  }
  const stack = currentStack(depth);
  if (typeof stack !== 'string') return fromFrames(stack, isBundled ? nameOf(stack[callerDepth]) : null);
  if (!isBundled) return fromText(stack);
  const caller = placeIn(stack.split('\n')[callerDepth] ?? '')?.file;
  return placeIn(stack, (file) => isOwn(file) || file === caller);
}

/**
 * The user's line where it is our own code that called the module with this URL (its `import.meta.url`); null where the user
 * called it, and when the engine does not tell. So a builder of ours is told from a user's.
 */
export function locationBehind(module: string): SourceLocation | null {
  const stack = currentStack(depth);
  if (typeof stack === 'string') return null;
  const inside = [import.meta.url, module].flatMap((url?: string) => (url ? [url, pathOf(url)] : []));
  const outer = stack.findIndex((frame) => {
    const file = nameOf(frame);
    return file !== null && !inside.includes(file);
  });
  const caller = nameOf(stack[outer]);
  return caller && isOwn(caller) ? fromFrames(stack.slice(outer), null) : null;
}

/**
 * From this file's URL: `…/build/compiler/graph/location.js` → `…/build/`; with source maps an engine may name the sources,
 * which stand beside it. In a bundle all that is known to be ours is the script that this file is in, and the one that calls
 * it. The user's code may be there, too, and then no line is better than one of ours.
 */
function ownFiles(): readonly string[] {
  if (isBundled) return script === undefined ? [] : [script];
  const root = new URL('../../', name);
  return [root, new URL('../', root)].flatMap(({ href }) =>
    ['src/', 'compiler/', 'runtime/'].flatMap((folder) => [href + folder, pathOf(href + folder)]),
  );
}

function isUnbundled(url: string): boolean {
  return /\/compiler\/graph\/location\.[jt]s(\?.*)?$/.test(url);
}

function nameOf(frame: Frame | undefined): string | null {
  return frame?.getScriptNameOrSourceURL() ?? null;
}

/** The name of the script that this function is in. */
function runningScript(): string | undefined {
  const stack = currentStack(depth);
  return (typeof stack === 'string' ? placeIn(stack)?.file : nameOf(stack[0])) ?? undefined;
}

/** The innermost frames of the call, at most so many, or the text of all where the engine has no more. */
function currentStack(most: number): readonly Frame[] | string {
  const E: StackControl = Error as unknown as StackControl;
  const { stackTraceLimit, prepareStackTrace } = E;
  let frames: readonly Frame[] | null = null;
  E.stackTraceLimit = most;
  E.prepareStackTrace = (_, list) => {
    frames = list;
    return '';
  };
  let text: unknown;
  try {
    text = new Error().stack;
  } finally {
    if (stackTraceLimit !== undefined) E.stackTraceLimit = stackTraceLimit;
    E.prepareStackTrace = prepareStackTrace;
  }
  return frames ?? (typeof text === 'string' ? text : '');
}

/** `caller`: the name of one more script of ours. */
function fromFrames(frames: readonly Frame[], caller: string | null): SourceLocation | null {
  for (const frame of frames) {
    const file = nameOf(frame);
    if (file === null || file === caller || isOwn(file) || !isPlace(file) || isCommand(file)) continue;
    const line = frame.getLineNumber() ?? 1;
    const column = frame.getColumnNumber() ?? 1;
    return throughSourceMap(file, line, column) ?? { file: pathOf(file), line, column };
  }
  return null;
}

/** In Node with source maps switched on: the place in the source, as its stack traces name it. */
function throughSourceMap(file: string, line: number, column: number): SourceLocation | null {
  const isOn = typeof process === 'object' && process.sourceMapsEnabled === true;
  const map = isOn ? nodeModule('node:module')?.findSourceMap(file) : undefined;
  const entry = map?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalSource' in entry)) return null;
  const { originalSource, originalLine, originalColumn } = entry;
  return { file: pathOf(originalSource), line: originalLine + 1, column: originalColumn + 1 };
}

/** From the text of a stack trace. Frames look like `at f (file:line:column)` or `f@file:line:column`. */
export function fromText(stack: string): SourceLocation | null {
  return placeIn(stack, isOwn);
}

/** The first place in the text of a stack trace that is not to be left out. */
function placeIn(stack: string, isOut?: (file: string) => boolean): SourceLocation | null {
  for (const text of stack.split('\n')) {
    const m = /(?:\(|@|at )((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(text.trim());
    const file = m?.[1]?.replace(/^.*\(/, '');
    if (file === undefined || isOut?.(file)) continue;
    return { file: pathOf(file), line: Number(m![2]), column: Number(m![3]) };
  }
  return null;
}

/** A file or a page: not what the engine runs from itself (`node:internal/…`, `native`). */
function isPlace(file: string): boolean {
  return /^(?:file:\/\/|https?:\/\/|\/|[A-Za-z]:[\\/])/.test(file);
}

/** The command line, and the package that it reads flags with: what they call is on behalf of a module of the user. */
function isCommand(file: string): boolean {
  return /\/bin\/heddle\.mjs$|\/node_modules\/commander\//.test(file);
}

function isOwn(file: string): boolean {
  for (let k = 0; k < own.length; k++) if (file.startsWith(own[k]!)) return true;
  return false;
}

/** The path of a file URL; other names as they are. */
function pathOf(url: string): string {
  return url.startsWith('file://') ? decodeURIComponent(url.slice(7)) : url;
}
