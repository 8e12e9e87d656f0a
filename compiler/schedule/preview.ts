// What would be alive if some steps were copied, found without making that program: rematerialize.ts tries hundreds of
// copies for each that it makes.
//
//   … next − 1 │ copies │ next …          copies, and steps from `next` on, use new buffers for what the copies write
//
// Invariant: the same as `liveModel` of the program that `withCopies` (recompute.ts) makes.

import { amounts } from './amounts.ts';
import type { LiveModel, Users } from './live.ts';
import type { Lowered } from './lowered.ts';
import type { Copies } from './recompute.ts';

type Pairs = LiveModel['pairs'][number];

/** The model of the program with copies of some steps; `model` and `users` are those of the program. */
export function withCopiesLive(
  { steps }: Lowered,
  model: LiveModel,
  users: Users,
  { copied, next }: Copies,
): LiveModel {
  const known = model.bytes.length;
  const again = new Map<number, number>();
  for (const s of copied) {
    const { kernel, args } = steps[s]!;
    for (let p = 0; p < args.length; p++) {
      if (kernel.params[p]!.access === 'write' && !again.has(args[p]!))
        again.set(args[p]!, known + again.size);
    }
  }
  const newTouched = (ids: Int32Array): Int32Array => ids.map((id) => again.get(id) ?? id);
  const newPairs = (pairs: Pairs): Pairs =>
    pairs.map(([input, output]) => [again.get(input) ?? input, again.get(output) ?? output]);

  const touched = [...model.touched];
  const pairs = [...model.pairs];
  const later = new Set<number>();
  for (const id of again.keys()) for (const s of users[id]!) if (s >= next) later.add(s);
  for (const s of later) {
    touched[s] = newTouched(model.touched[s]!);
    pairs[s] = newPairs(model.pairs[s]!);
  }
  touched.splice(next, 0, ...copied.map((s) => newTouched(model.touched[s]!)));
  pairs.splice(next, 0, ...copied.map((s) => newPairs(model.pairs[s]!)));

  const count = known + again.size;
  let { total } = model;
  for (const id of again.keys()) total += model.bytes[id]!;
  const bytes = amounts(count, total);
  bytes.set(model.bytes);
  for (const [id, copy] of again) bytes[copy] = model.bytes[id]!;
  const isInput = new Uint8Array(count);
  isInput.set(model.isInput);
  const isOutput = new Uint8Array(count);
  isOutput.set(model.isOutput);
  return { bytes, total, touched, pairs, isInput, isOutput };
}
