// Scopes: which part of the user's program is being built. A scope lasts for one synchronous call and is restored
// when that call ends, also by an error; it only labels nodes and never changes what they compute.

let current = '';

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
