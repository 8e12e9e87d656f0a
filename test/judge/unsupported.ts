// How the adapter says that Heddle lacks something: the judge counts it as skipped.

export function unsupported(what: string): Error {
  return Object.assign(new Error(`unsupported: ${what}`), { unsupported: true });
}
