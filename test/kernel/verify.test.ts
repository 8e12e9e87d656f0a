// The verifier finds each kind of mistake, and accepts what ranges and guards prove safe.

import t from 'tap';
import { parseKernel } from '../../compiler/kernel/parse.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';

const head = `kernel "k"
schedule ""
cost 0 flops, 0 bytes
param x: read f32[16]
param i: read i32[16]
param y: write f32[16]
param flags: write i32[4]
`;

function verify(body: string, flags = true): void {
  verifyKernel(parseKernel(`${head}${flags ? 'flags flags\n' : ''}unit u of 4 {\n${body}\n}\n`));
}

const right: readonly (readonly [why: string, body: string])[] = [
  ['whole rows', 'for j of 4 { store y[4*u + j] = x[4*u + j] }'],
  ['vectors', 'store y[4*u : 1] x4 = x[4*u : 1]'],
  ['reversed lanes', 'store y[4*u : 1] x4 = x[15 - 4*u : -1]'],
  ['steps end at the last multiple', 'for j of 4 step 2 { store y[5*u] = x[7*j + 1] }'],
  ['a guard on one variable', 'for j of 6 { store y[u] = guard(j - 1 in 0..4 ? x[4*u + j - 1] : 0.0) }'],
  ['two guards', 'for j of 6 { store y[u] = guard(u - 1 in 0..2 & j - 1 in 0..4 ? x[4*u + j - 5] : 0.0) }'],
  ['a guard on a sum', 'for j of 6 { store y[u] = guard(u + j - 2 in 0..4 ? x[4*u + 4*j - 8] : 0.0) }'],
  ['the other side of a guard', 'for j of 6 { store y[u] = guard(j in 4..6 ? 0.0 : x[4*u + j]) }'],
  ['a quotient of a guarded variable', 'for j of 40 { store y[u] = guard(j in 0..16 ? x[4*u + ((j)/4)] : 0.0) }'],
  ['if', 'for j of 6 { if (j in 0..4) { store y[4*u + j] = 0.0 } else { store y[4*u + j - 4] = 1.0 } }'],
  ['a checked gather', 'store y[u] = x[at(checkIndex(i[u], 16, 0), 16)]'],
  ['quotient and remainder of one number', 'for j of 4 { store y[(4*u + j)%3 + 3*((4*u + j)/3)] = 1.0 }'],
  ['lanes that meet', 'let a: f32 x4 = horizontal_sum(x[4*u : 1])\nstore y[u] = a'],
  ['a limit that depends on the unit', 'for j of 4 below u + 1 { store y[4*u + j] = x[5*j] }'],
]; // biome-ignore format: a table

const wrong: readonly (readonly [message: string, body: string])[] = [
  ["loads element 1 … 16 of 'x', which has 16 elements", 'for j of 4 { store y[4*u + j] = x[4*u + j + 1] }'],
  ["stores element -1 … 2 of 'y', which has 16 elements", 'store y[u - 1] = 1.0'],
  ["loads element 0 … 18 of 'x', which has 16 elements", 'store y[4*u : 1] x4 = x[4*u : 2]'],
  ["loads element 0 … 18 of 'x', which has 16 elements", 'for j of 6 { store y[u] = guard(j in 0..8 ? x[4*u + j + ((j)/3)] : 0.0) }'],
  ["stores to 'x'", 'store x[u] = 1.0'],
  ["stores i32 to 'y'", 'store y[u] = 1i'],
  ['has add(f32, i32) of type f32', 'store y[u] = add(1.0, 1i)'],
  ['has sqrt of i32', 'store y[u] = to_f32(sqrt(i[u]))'],
  ['has select(f32, f32, f32) of type f32', 'store y[u] = select(x[u], 1.0, 2.0)'],
  ["stores 4 lanes to 'y' of a value with one", 'let a: f32 = x[u]\nstore y[4*u : 1] x4 = a'],
  ["stores 4 lanes to 'y' of a value with one", 'let a: f32 x4 = 0.0\nfor j of 2 { store y[4*u : 1] x4 = a\nset a = 1.0 }'],
  ['combines lanes that hold no values', 'store y[u] = horizontal_sum(x[u])'],
  ['reads register a before it is set', 'for j of 2 { let a: f32 = 1.0\nstore y[u] = a }\nstore y[u] = a'],
  ['uses a f32 as an index', 'store y[u] = x[at(x[u], 16)]'],
  ['sets register a: f32 to a i32', 'let a: f32 = 1i'],
  ['has a loop over j up to 8', 'for j of 4 below 2*u + 2 { store y[u] = 1.0 }'],
]; // biome-ignore format: a table

for (const [why, body] of right) t.test(`accepts ${why}`, async (t) => t.doesNotThrow(() => verify(body)));

for (const [message, body] of wrong) {
  t.test(`refuses a kernel that ${message}`, async (t) => {
    t.throws(() => verify(body), { code: 'HDL0012', parts: { what: `kernel 'k' ${message}` } });
  });
}

t.test('checks need flags', async (t) => {
  t.throws(() => verify('store y[u] = checkFinite(x[u], 0)', false), {
    code: 'HDL0012',
    parts: { what: "kernel 'k' has a check" },
  });
});
