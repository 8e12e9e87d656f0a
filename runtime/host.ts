// What the host offers: cores, and memory that threads can share.

/** Cores that this process may use. */
export function availableCores(): number {
  // Not an import: bundlers for browsers would try to resolve it.
  const os = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:os');
  return (
    os?.availableParallelism() ??
    (typeof navigator === 'undefined' ? 1 : (navigator.hardwareConcurrency ?? 1))
  );
}

/** Whether memory can be shared with workers. In browsers it needs an isolated page. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  return typeof crossOriginIsolated === 'undefined' || crossOriginIsolated;
}
