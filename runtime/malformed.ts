// What checkers of plans say when something is not as it should be: a reason, which their caller puts into an error.

export class Malformed extends Error {}

export function check(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Malformed(reason);
}

/** Only integers count: `list['__proto__']` is there too. */
export function itemAt<T>(list: readonly T[], index: number): T | undefined {
  return Number.isInteger(index) ? list[index] : undefined;
}

/** An integer in [0, 4 GiB]. */
export function checkCount(value: unknown, where: string): void {
  const isCount = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 32;
  check(isCount, `${where} is ${String(value)}, expected an integer in [0, 2^32]`);
}

export function checkUnique(list: readonly { readonly name: string }[], where: string): void {
  const seen = new Set<string>();
  for (const { name } of list) {
    check(!seen.has(name), `${where} names '${name}' twice`);
    seen.add(name);
  }
}

export function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
