// Numbers for people.

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 ** 2).toFixed(n < 100 * 1024 ** 2 ? 2 : 0)} MiB`;
}

export function time(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1000).toFixed(ns < 1e4 ? 2 : 1)} µs`;
  return `${(ns / 1e6).toFixed(ns < 1e7 ? 2 : 1)} ms`;
}

/** `1.2 M` */
export function count(n: number): string {
  for (const [unit, size] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (n >= size) return `${(n / size).toPrecision(3)} ${unit}`;
  }
  return String(Number(n.toPrecision(3)));
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `train`, `1 step`, `3 steps` */
export function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** Round values between `from` and `to`, at most about `most` of them. */
export function ticks(from: number, to: number, most: number): number[] {
  if (!(to > from)) return [];
  const rough = (to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const list: number[] = [];
  for (let x = Math.ceil(from / step) * step; x <= to + step * 1e-9; x += step) list.push(x);
  return list;
}

/** `examples/resnet.ts:12:5`: the end of a path tells where it is. */
export function place(loc: string): string {
  return loc.split(/[\\/]/).slice(-2).join('/');
}
