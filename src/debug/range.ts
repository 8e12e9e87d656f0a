// The range of a value in a few numbers, and as text.

import { formatNumber } from '../progress.ts';

export interface Range {
  readonly elements: number;
  /** Of the finite elements; null when there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly nan: number;
  readonly infinite: number;
}

/** @example rangeOf([1, NaN, 3]) // { elements: 3, min: 1, max: 3, nan: 1, infinite: 0 } */
export function rangeOf(data: ArrayLike<number>): Range {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let nan = 0;
  let infinite = 0;
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (Number.isNaN(v)) nan++;
    else if (!Number.isFinite(v)) infinite++;
    else {
      if (v < min) min = v;
      if (v > max) max = v;
    }
  }
  const isNone = min > max;
  return { elements: data.length, min: isNone ? null : min, max: isNone ? null : max, nan, infinite };
}

export function isFiniteRange({ nan, infinite }: Range): boolean {
  return nan + infinite === 0;
}

/** `in [-1.5, 2]`, `3 of 8 NaN, others in [0, 1]` */
export function formatRange({ elements, min, max, nan, infinite }: Range): string {
  if (elements === 0) return 'empty';
  const wrong = [
    ...(nan > 0 ? [`${nan} of ${elements} NaN`] : []),
    ...(infinite > 0 ? [`${infinite} of ${elements} infinite`] : []),
  ].join(', ');
  if (min === null || max === null) return wrong;
  const finite = min === max ? `${shown(min)}` : `in [${shown(min)}, ${shown(max)}]`;
  return wrong === '' ? finite : `${wrong}, others ${finite}`;
}

/** Four digits: `0.003142`, `1.2e-9`. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return formatNumber(value);
}
