// Given lowered programs whose work is handed out to two workers, then the bytes that come from the other worker are those
// that it has written, as counted element by element.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { enumerate } from '../../compiler/schedule/enumerate.ts';
import { bytesFromAfar } from '../../compiler/schedule/from-afar.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import { traceOf } from '../../compiler/schedule/trace.ts';
import { wasmSimd } from '../../compiler/target/targets.ts';
import type { PlanSchedule, RunItem, ScheduleItem } from '../../runtime/plan.ts';
import { graphOf, lower } from '../support/lower-graph.ts';

type Parts = readonly (readonly (readonly ScheduleItem[])[])[];

/** Halves of the units of each step, a phase for each; `turned` says in which steps the halves change places. */
function halves(lowered: Lowered, turned: (step: number) => boolean = () => false): Parts {
  return lowered.steps.map(({ kernel }, step) => {
    const units = kernel.unit.extent;
    const middle = Math.floor(units / 2);
    const both: RunItem[] = [
      { do: 'run', step, begin: 0, end: middle },
      { do: 'run', step, begin: middle, end: units },
    ];
    const lists = both.map((item) => (item.begin < item.end ? [item] : []));
    return turned(step) ? lists.reverse() : lists;
  });
}

/** The same, counted: bytes of different elements that each worker reads and the other has written. */
function counted({ steps }: Lowered, parts: Parts): number[] {
  const writer = new Map<string, number>();
  const bytes = steps.map(() => 0);
  for (const phase of parts) {
    for (const access of ['load', 'store'])
      phase.forEach((items, worker) => {
        for (const item of items) {
          if (item.do !== 'run') continue;
          const { kernel, args, bases } = steps[item.step]!;
          const seen = new Set<string>();
          enumerate(traceOf(kernel), kernel.unit, 1e8, (a, element, unit) => {
            if (a.kind !== access || unit < item.begin || unit >= item.end) return;
            const word = `${args[a.param]} ${element + (bases?.[a.param] ?? 0)}`;
            if (access === 'store') writer.set(word, worker);
            else if (!seen.has(word) && (writer.get(word) ?? worker) !== worker) bytes[item.step]! += 4;
            seen.add(word);
          });
        }
      });
  }
  return bytes;
}

/** relu(w2 relu(w1 x + b) ), features first or rows first. */
function net(rows: number, features: number, isFeaturesFirst: boolean): Lowered {
  type Matrix = Node<readonly [number, number], 'f32'>;
  const weights = (name: string, of: number, to: number): Matrix =>
    h.variableNode(name, isFeaturesFirst ? [to, of] : [of, to], 'f32', true);
  const times = (w: Matrix, x: Matrix): Matrix => (isFeaturesFirst ? h.matmul(w, x) : h.matmul(x, w));
  const x: Matrix = h.input('x', isFeaturesFirst ? [4, rows] : [rows, 4]);
  const first: Matrix = h.relu(times(weights('w1', 4, features), x));
  const second: Matrix = h.relu(times(weights('w2', features, features), first));
  return lower(graphOf({ y: h.sum(h.mul(second, second), [isFeaturesFirst ? 1 : 0]), second }));
}

t.test('strips of a batch', async (t) => {
  const most = (lowered: Lowered): number =>
    Math.max(...lowered.steps.map(({ kernel }) => kernel.cost.bytes));
  for (const [rows, features, isFeaturesFirst] of [
    [3000, 16, true],
    [3000, 16, false],
    [2048, 32, true],
    [5000, 12, true],
    [1000, 64, false],
  ] as const) {
    const name = `${rows} rows of ${features}, ${isFeaturesFirst ? 'features' : 'rows'} first`;
    const lowered = net(rows, features, isFeaturesFirst);
    for (const [how, turned] of [
      ['the same halves', () => false],
      ['halves that change places', (s: number) => s % 2 === 1],
    ] as const) {
      const parts = halves(lowered, turned);
      const found = [...bytesFromAfar(lowered.steps, parts)];
      const truth = counted(lowered, parts);
      const off = found.map((n, s) => Math.abs(n - truth[s]!) / most(lowered));
      t.ok(Math.max(...off) < 0.1, `${name}, ${how}: ${found.map(Math.round)} for ${truth}`);
    }
  }
});

t.test('units of a long batch are pieces of the batch', async (t) => {
  const { steps } = net(4096, 16, true);
  const parts = halves({ steps } as Lowered);
  const foreign = bytesFromAfar(steps, parts);
  const second = steps.findIndex(({ label }, s) => s > 0 && label.includes('dotGeneral'));
  t.equal(foreign[second], 0, 'each worker goes on with what it has made');
});

t.test('what two workers have made themselves, they go on with together', async (t) => {
  const lowered = net(16384, 16, true);
  const { manifest } = scheduleProgram(lowered, { target: wasmSimd, targetKind: 'wasm', workers: [2] });
  const isShared = ({ lists }: PlanSchedule, step: number): boolean =>
    lists.every((list) =>
      list.some((item) => item.do === 'run' && item.step === step && item.begin < item.end),
    );
  const large = manifest.steps.flatMap(({ units }, s) => (units > 8 ? [s] : []));
  t.ok(large.length >= 2, `${large.length} steps of many units`);
  for (const s of large) t.ok(isShared(manifest.schedules[0]!, s), `step ${s}: ${manifest.steps[s]!.label}`);
});
