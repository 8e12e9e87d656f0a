// docs/math.md: what the elementwise functions err by and what they are at special points, from the table that
// test/ops/accuracy.test.ts measures.

import { measuredFunctions, specialPoints } from './functions.ts';

export function documentFunctions(): string {
  const points = specialPoints.filter((x) => !Number.isNaN(x));
  return `${[
    '# Functions of one and two numbers',
    '',
    'How far results are from the exact value, in units in the last place of float32 (a correctly rounded result is within',
    "0.5). A test measures every function on every target against float64: half of its sample covers the function's own",
    'range, half all float32 numbers alike. `npm test` takes 50,000 points each, `npm run test:long` 2 million, of which the',
    'bounds are the largest errors, rounded up. This page is made from the table of that test (`npm run docs`).',
    '',
    '- **wasm**: every product and sum is rounded, with the same result on every machine.',
    '- **fused**: the same with fused multiply-add (`relaxed: true`) where the machine has it; else as wasm.',
    '- **js**: the functions of JavaScript where it has them, computed in float64 and rounded once.',
    '',
    `| function | wasm | fused | js | ${points.map((x) => `at ${number(x)}`).join(' | ')} |`,
    `|---|---|---|---|${points.map(() => '---').join('|')}|`,
    ...measuredFunctions.map(
      (f) =>
        `| ${f.name} | ${f.ulps.wasm} | ${f.ulps.fused} | ${f.ulps.js} | ${points.map((x) => (f.second ? '' : number(f.exact(x, 1)))).join(' | ')} |`,
    ),
    '',
    'NaN gives NaN, but for `pow(NaN, 0)`, which is 1. Subnormal numbers are read and written as they are.',
    '',
    '## Choices',
    '',
    '- **sin, cos, tan** are right for every float32. Up to ±3000, π/2 is subtracted in pieces whose products are exact;',
    '  beyond, x · 2/π is computed in integers from the digits of 2/π that matter (Payne and Hanek). A vector without such an',
    '  element does not pay for that.',
    '- **pow** has the special cases of `Math.pow`: x^0 is 1 for every x, a negative base with an exponent that is not an',
    '  integer gives NaN, ±0 and ±∞ keep their sign for odd integers. Unlike C, and like JavaScript, (±1)^±∞ is NaN, and so',
    '  is 1^NaN.',
    '- **silu, gelu, mish** at -∞ are NaN: they are x times something that is 0 there, and so are they in PyTorch and JAX. An',
    '  activation that is infinite has diverged before; 0 would hide it. For every finite x they are finite, and so are',
    '  their gradients.',
    '- **silu and mish** multiply x by a number that is subnormal below x = -88 and has few digits there: that is where their',
    '  bounds come from. Above they err by less than 5. **gelu** rounds x/√2, and erfc makes more of that the farther x is',
    '  out: the error is about x² units, and less than 7 from -2 on.',
    '- **min and max** give NaN when either operand is NaN.',
  ].join('\n')}\n`;
}

function number(x: number): string {
  if (Number.isNaN(x)) return 'NaN';
  if (Math.abs(x) === Number.POSITIVE_INFINITY) return x < 0 ? '-∞' : '∞';
  if (Object.is(x, -0)) return '-0';
  return Number.isInteger(x) ? String(x) : x.toPrecision(6);
}
