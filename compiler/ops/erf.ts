// The error function in float64, which JavaScript lacks: reference semantics of `erf`.

/**
 * erf(x) = 2/√π ∫₀ˣ exp(-t²) dt, to a relative error of about 1e-15. Abramowitz & Stegun 7.1.6 (a series without
 * cancellation) up to 3, and beyond it 1 - erfc with the continued fraction 7.1.14, evaluated from its far end.
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
  // erfc(a) = exp(-a²)/√π · 1/(a + (1/2)/(a + 1/(a + (3/2)/(a + …))))
  let tail = a;
  for (let n = 40; n >= 1; n--) tail = a + n / 2 / tail;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * tail));
}
