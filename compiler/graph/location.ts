// Finds the user's line: the first stack frame outside of Heddle's own three folders.

import type { SourceLocation } from './ir.ts';

/** Where our own files are, from this file's URL: `…/build/compiler/graph/location.js` → `…/build/`. */
const root = new URL('../../', import.meta.url);
/** With source maps the engine names the sources, which stand beside `build/`. */
const own = [root, new URL('../', root)].flatMap(({ href }) =>
  ['src/', 'compiler/', 'runtime/'].map((d) => href + d),
);
const ownPaths = own.map((u) => (u.startsWith('file://') ? decodeURIComponent(u.slice(7)) : u));

interface StackHolder {
  stack?: string;
}

/**
 * The location of the innermost frame that is not Heddle's, or null when the engine does not tell. Reads the text of a
 * stack trace, since that is what all engines have; frames look like `at f (file:line:column)` or `f@file:line:column`.
 */
export function callerLocation(): SourceLocation | null {
  const E = Error as ErrorConstructor & { stackTraceLimit?: number };
  const limit = E.stackTraceLimit;
  E.stackTraceLimit = 40;
  const holder: StackHolder = new Error();
  const stack = holder.stack;
  if (limit !== undefined) E.stackTraceLimit = limit;
  if (stack === undefined) return null;
  for (const line of stack.split('\n')) {
    const m = /(?:\(|@|at )((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(line.trim());
    if (!m) continue;
    const file = m[1]!.replace(/^.*\(/, '');
    if (own.some((p) => file.startsWith(p)) || ownPaths.some((p) => file.startsWith(p))) continue;
    return {
      file: file.startsWith('file://') ? decodeURIComponent(file.slice(7)) : file,
      line: Number(m[2]),
      column: Number(m[3]),
    };
  }
  return null;
}
