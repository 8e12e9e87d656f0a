// Scopes: which part of the user's program is being built, and for nodes that the compiler makes, which line of it they
// stand for. A scope lasts for one synchronous call and is restored when that call ends, also by an error; it only
// labels nodes and never changes what they compute.

import type { SourceLocation } from './ir.ts';

let current = '';
let location: SourceLocation | null | undefined;

/** Runs `build` with `name` appended to the scope path of every node it makes: `block1/conv2`. */
export function scope<T>(name: string, build: () => T): T {
  const outer = current;
  current = outer ? `${outer}/${name}` : name;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/** Like `scope`, but with the whole path given. */
export function absoluteScope<T>(path: string, build: () => T): T {
  const outer = current;
  current = path;
  try {
    return build();
  } finally {
    current = outer;
  }
}

export function currentScope(): string {
  return current;
}

/**
 * Runs `build` so that the nodes it makes carry `loc` instead of the line of the caller: gradients and rewrites belong to
 * the line that the user wrote.
 */
export function atLocation<T>(loc: SourceLocation | null, build: () => T): T {
  const outer = location;
  location = loc;
  try {
    return build();
  } finally {
    location = outer;
  }
}

/** The location that `atLocation` has set, or undefined outside of it. */
export function currentLocation(): SourceLocation | null | undefined {
  return location;
}
