// The whole of a plan as text, which `parsePlan` reads back without loss:
//
//   plan train for wasm (simd128) {
//     arena 4096
//     code #5f1c… 1312
//     constants #e3b0… 0
//     input x: f32[64, 784] @ arena 0
//     output loss: f32[] @ arena 256
//     variable dense/kernel: f32[784, 10] trainable updated
//     kernel 0 dot (read 200704, read 31360, write 2560) units 16 flops 1003520 bytes 234624 "tile 4 × 8"
//     step 0 dense: kernel 0 units 16 (arena 0, current 0, arena 512)   ; x, dense/kernel → logits
//     schedule 2 {
//       worker 0: 0 [0, 8) shared 2, barrier, 1
//       worker 1: 0 [8, 16) shared 2, barrier
//     }
//     site index labels at "model.ts:3:9" size 10
//     buffer logits @ 512 bytes 2560 from 0 to 1
//   }
//
// One record per line, in the manifest's own order. Code and constants stand by their hash, SHA-256, and length. A step
// runs whole where no units are given; of a shared range, other workers may take so many units at a time. Steps of a loop,
// and how far arguments move from one iteration to the next:
//
//     step 1 cell: kernel 1 units 4 (arena 0 by 64, arena 512 by 64 of 2)
//     loop 0 scan: from 1 to 3 times 256
//     worker 0: 0, repeat 0 (1, 2, barrier, 3)
//
// Names with other characters than words have are JSON strings; `;` starts a comment.

import type {
  BarrierItem,
  Location,
  Plan,
  PlanManifest,
  PlanMove,
  PlanPlacement,
  PlanSchedule,
  PlanTensor,
  RunItem,
  ScheduleItem,
} from '../../runtime/plan.ts';
import { sha256 } from '../../runtime/sha256.ts';
import { word } from '../graph/print.ts';
import type { Lowered } from './lowered.ts';

/** 64 hexadecimal digits: how a plan's text names its code and its constants. */
export function blobHash(bytes: Uint8Array): string {
  return Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Text of all of a plan. With the lowered program in the plan's order, steps are followed by the names of their buffers, as
 * comments.
 *
 * @example
 * const { manifest } = parsePlan(planText(plan), { blobs: new Map([[blobHash(plan.code), plan.code], …]) });
 */
export function planText({ manifest: m, code, constants }: Plan, lowered?: Lowered): string {
  const features = m.features.length > 0 ? ` (${m.features.map(word).join(', ')})` : '';
  const rows = [
    `arena ${m.arenaBytes}`,
    `code #${blobHash(code)} ${code.length}`,
    `constants #${blobHash(constants)} ${m.constantBytes}`,
    ...Object.entries(m.tiles ?? {}).map(([key, [r, c]]) => `tile ${JSON.stringify(key)}: ${r} ${c}`),
    ...m.inputs.map((x) => `input ${placementText(x)}`),
    ...m.outputs.map((x) => `output ${placementText(x)}`),
    ...m.variables.map(
      (v) =>
        `variable ${tensorText(v)}${v.trainable ? ' trainable' : ''}${v.updated ? ' updated' : ''}${orderText(v.order)}`,
    ),
    ...m.kernels.map((k, i) => `kernel ${i} ${kernelText(k)}`),
    ...m.steps.map((s, i) => {
      const args = s.args.map((l, a) => `${locationText(l)}${moveText(s.moves?.[a])}`).join(', ');
      const line = `step ${i} ${word(s.label)}: kernel ${s.kernel} units ${s.units} (${args})`;
      return lowered ? `${line}   ; ${buffersText(lowered, i)}` : line;
    }),
    ...(m.loops ?? []).map(
      (l, i) => `loop ${i} ${word(l.label)}: from ${l.begin} to ${l.end - 1} times ${l.length}`,
    ),
    ...m.schedules.flatMap((s) => scheduleText(s, m)),
    ...m.sites.map((s) => {
      const at = s.loc === null ? '' : ` at ${JSON.stringify(s.loc)}`;
      return `site ${s.kind} ${word(s.label)}${at} size ${s.size}`;
    }),
    ...m.buffers.map(
      (b) => `buffer ${word(b.name)} @ ${b.offset} bytes ${b.bytes} from ${b.from} to ${b.to}`,
    ),
  ];
  return `plan ${word(m.entry)} for ${m.target}${features} {\n${rows.map((r) => `  ${r}\n`).join('')}}\n`;
}

function kernelText({ name, params, units, work }: PlanManifest['kernels'][number]): string {
  const list = params.map((p) => `${p.access} ${p.bytes}`).join(', ');
  const cost = work ? ` flops ${work.flops} bytes ${work.bytes} ${JSON.stringify(work.schedule)}` : '';
  return `${word(name)} (${list})${units === undefined ? '' : ` units ${units}`}${cost}`;
}

function tensorText({ name, dtype, shape }: PlanTensor): string {
  return `${word(name)}: ${dtype}[${shape.join(', ')}]`;
}

/** Nothing for row-major. */
function orderText(order: readonly number[]): string {
  return order.every((d, i) => d === i) ? '' : ` order [${order.join(', ')}]`;
}

function placementText(x: PlanPlacement): string {
  return `${tensorText(x)}${orderText(x.order)} @ ${locationText(x.location)}`;
}

function locationText(l: Location): string {
  switch (l.space) {
    case 'arena':
    case 'constant':
      return `${l.space} ${l.offset}`;
    case 'variable':
      return `${l.bank} ${l.variable}`;
    case 'flags':
      return 'flags';
    default:
      return l satisfies never;
  }
}

/** Nothing for an argument that stays. */
function moveText(move: PlanMove | null | undefined): string {
  if (!move) return '';
  return ` by ${move.stride}${move.period === undefined ? '' : ` of ${move.period}`}`;
}

function scheduleText({ workers, lists }: PlanSchedule, m: PlanManifest): string[] {
  const item = (x: ScheduleItem): string => {
    if (x.do === 'barrier') return barrierText(x);
    if (x.do === 'repeat') return `repeat ${x.loop} (${x.items.map(item).join(', ')})`;
    return itemText(x, m);
  };
  return [
    `schedule ${workers} {`,
    ...lists.map((list, w) => `  worker ${w}: ${list.map(item).join(', ')}`),
    '}',
  ];
}

/** `barrier`; `wait 0 2`, for two workers alone; `signal`, for none. */
export function barrierText({ after }: BarrierItem): string {
  if (after === undefined) return 'barrier';
  return after.length === 0 ? 'signal' : `wait ${after.join(' ')}`;
}

/** `3`, `3 [0, 8)`, `3 [0, 8) shared 2`: by itself, a step runs whole. */
export function itemText({ step, begin, end, shared }: RunItem, m: PlanManifest): string {
  const isWhole = begin === 0 && end === m.steps[step]?.units;
  const units = isWhole ? '' : ` [${begin}, ${end})`;
  return `${step}${units}${shared === undefined ? '' : ` shared ${shared}`}`;
}

function buffersText({ steps, buffers }: Lowered, s: number): string {
  const { kernel, args } = steps[s]!;
  const names = (access: string): string[] =>
    args.filter((_, p) => kernel.params[p]!.access === access).map((id) => buffers[id]!.name);
  return `${names('read').join(', ')} → ${names('write').join(', ')}`.replaceAll('\n', ' ');
}
