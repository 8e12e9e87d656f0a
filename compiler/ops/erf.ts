// The error function and its complement in float64, which JavaScript lacks: reference semantics of `erf` and `erfc`.

/**
 * erf(x) = 2/√π ∫₀ˣ exp(-t²) dt, to a relative error of about 1e-15. Abramowitz & Stegun 7.1.6 (a series without
 * cancellation) up to 3, and beyond it 1 - erfc with the continued fraction 7.1.14, evaluated from its far end.
 *
 * @example erf(x)
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x) || a === 0) return x;
  if (a > 6) return Math.sign(x);
  if (a <= 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  return Math.sign(x) * (1 - tailOf(a));
}

/**
 * 1 - erf(x) to a relative error of about 1e-10 or better: where erf is close to 1, by the continued fraction itself.
 *
 * @example erfc(x)
 */
export function erfc(x: number): number {
  if (x > 3) return tailOf(x);
  return 1 - erf(x);
}

/** erfc(a) = exp(-a²)/√π · 1/(a + (1/2)/(a + 1/(a + (3/2)/(a + …)))) */
function tailOf(a: number): number {
  let tail = a;
  for (let n = 40; n >= 1; n--) tail = a + n / 2 / tail;
  return Math.exp(-a * a) / (Math.sqrt(Math.PI) * tail);
}
