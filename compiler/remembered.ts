// What follows from an object that never changes is found once, however often it is asked for.

/** The function, which remembers what it said of each object for as long as that object lives. It must be pure. */
export function remembered<K extends object, V extends object | string | null>(
  find: (of: K) => V,
): (of: K) => V {
  const known = new WeakMap<K, V>();
  return (of) => {
    let found = known.get(of);
    if (found === undefined) {
      found = find(of);
      known.set(of, found);
    }
    return found;
  };
}
