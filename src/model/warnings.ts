// What looks like a mistake but may be meant: said once, when a model is compiled or begins to train, and not refused.

import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Specs, Traced } from '../entry.ts';
import type { Head, Training } from './entries.ts';
import type { RowsByName } from './examples.ts';

type Warn = (text: string) => void;

/** Where warnings go when nobody else asks for them. */
export function consoleWarning(text: string): void {
  console.warn(text);
}

/** Losses that take logits after a layer that has made probabilities of them. */
export function warnOfHeads(
  { heads }: Training,
  outputs: Readonly<Record<string, Tensor>>,
  { layers }: Traced,
  warn: Warn,
): void {
  for (const { output, loss } of heads) {
    const kind = layers.findLast((l) => l.output === outputs[output] && l.kind !== 'block')?.kind;
    const takes = loss.logits;
    if (takes === 'softmax' && outputs[output]!.type.shape[1] === 1) {
      warn(
        [
          'warning: the loss compares classes, and the net has one output',
          '  why:  the probability of the only class is 1: the loss is 0, and nothing is learnt',
          '  try:  as many outputs as classes, or losses.binaryCrossEntropy for yes and no',
        ].join('\n'),
      );
    }
    if (takes === undefined || kind !== takes) continue;
    warn(
      [
        `warning: the net ends in ${kind}(), and the loss takes logits`,
        `  why:  it would apply ${kind} twice, and learn slowly or not at all`,
        `  try:  remove the last layer; for probabilities, apply ${kind} to what predict returns`,
      ].join('\n'),
    );
  }
}

/** Examples that look unscaled, a given batch size larger than the data, labels of one class. */
export function warnOfData(
  rows: RowsByName,
  inputs: Specs,
  training: Training,
  batchSize: number | null | undefined,
  warn: Warn,
): void {
  const { count } = Object.values(rows)[0]!;
  if (batchSize != null && batchSize > count) {
    warn(
      [
        `warning: batchSize ${batchSize} is more than the ${count} examples`,
        '  why:  each epoch is one step, on all of them',
        `  try:  batchSize: ${Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, count / 4))))}, if more steps are wanted`,
      ].join('\n'),
    );
  }
  for (const name of Object.keys(inputs)) {
    const { data } = rows[name]!;
    const largest = looksLikeBytes(data);
    if (largest === null) continue;
    warn(
      [
        `warning: ${name} looks like bytes: whole numbers from 0 to ${largest}`,
        '  why:  nets learn badly from numbers far from 0',
        '  try:  data.normalize(bytes) divides by 255; give it mean and deviation to center, too',
      ].join('\n'),
    );
  }
  for (const head of training.heads) warnOfLabels(head, rows, warn);
}

function warnOfLabels({ input, target }: Head, rows: RowsByName, warn: Warn): void {
  const { data, count } = rows[input]!;
  if (target.dtype !== 'i32' || count < 16) return;
  const first = data[0]!;
  if (!data.every((v) => v === first)) return;
  warn(
    [
      `warning: all ${data.length} labels of ${input} are ${first}`,
      '  why:  a net learns to answer that, whatever it sees',
      '  try:  check how labels were read, and that the data was shuffled before it was split',
    ].join('\n'),
  );
}

/** The largest of values that are all whole numbers of a byte and reach beyond 32; null for others. Looks at 4,096 of them. */
function looksLikeBytes(data: ArrayLike<number>): number | null {
  const stride = Math.max(1, Math.floor(data.length / 4096));
  let largest = 0;
  for (let i = 0; i < data.length; i += stride) {
    const v = data[i]!;
    if (!(v >= 0 && v <= 255 && Number.isInteger(v))) return null;
    if (v > largest) largest = v;
  }
  return largest > 32 ? largest : null;
}
