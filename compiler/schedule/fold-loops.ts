// Loops while a program is scheduled: each is one step, so that order, memory and phases know nothing of iterations. Its body
// is a program of its own, arranged and placed before; what lives within one iteration only lies in one scratch buffer.
//
//   program   0  1 [2  3  4]×256  5
//   outer     0  1  L  5               L reads and writes whole buffers, and its scratch
//   body      2  3  4                  where the buffers of L lie does not matter to it
//
// What a loop touches of the world lives throughout the loop, so nothing here depends on how often it runs.

import type { Kernel } from '../kernel/ir.ts';
import type { Buffer, BufferId, Lowered, LoweredLoop, LoweredStep } from './lowered.ts';

export interface Folded {
  /** The program with one step for each loop. */
  readonly outer: Lowered;
  /** Their bodies, in the order of `loops`; buffers keep their ids, and those of the world have no place in the arena. */
  readonly bodies: readonly Lowered[];
  /** By buffer: the loop within whose iterations it lives; −1 for all others. */
  readonly loopOf: Int32Array;
}

/** The buffer that holds what a buffer shows: itself, unless it is a view. */
export function wholeOf(buffers: readonly Buffer[], id: BufferId): BufferId {
  const { home } = buffers[id]!;
  return home.kind === 'view' ? home.of : id;
}

/** A loop over steps [begin, end) of a program. */
export function makeLoop(
  { buffers, steps }: Pick<Lowered, 'buffers' | 'steps'>,
  { label, begin, end, length }: Pick<LoweredLoop, 'label' | 'begin' | 'end' | 'length'>,
): LoweredLoop {
  const access = new Map<BufferId, 'read' | 'write'>();
  const inside = localsOf({ buffers, steps }, [{ begin, end }]);
  let flops = 0;
  let bytes = 0;
  for (const { kernel, args } of steps.slice(begin, end)) {
    flops += length * kernel.cost.flops;
    bytes += length * kernel.cost.bytes;
    args.forEach((id, p) => {
      if (inside[id] === 0) return;
      const whole = wholeOf(buffers, id);
      if (kernel.params[p]!.access === 'write' || !access.has(whole))
        access.set(whole, kernel.params[p]!.access);
    });
  }
  const args = [...access.keys()];
  const param = (name: string, kind: 'read' | 'write', elements: number): Kernel['params'][number] => ({
    name,
    storage: 'u8',
    access: kind,
    elements,
  });
  return {
    label,
    begin,
    end,
    length,
    args,
    kernel: {
      name: label,
      params: [
        ...args.map((id) => param(buffers[id]!.name, access.get(id)!, buffers[id]!.bytes)),
        param('scratch', 'write', 0),
      ],
      flags: null,
      unit: { kind: 'var', name: 'u', extent: 1, id: 0 },
      body: [],
      schedule: `${length} iterations of ${end - begin} steps`,
      cost: { flops, bytes },
      isLoop: true,
    },
  };
}

export function foldLoops(program: Lowered): Folded {
  const { loops = [], ...rest } = program;
  const { buffers, steps } = program;
  const loopOf = localsOf(program, loops);
  const outer: LoweredStep[] = [];
  for (let s = 0; s < steps.length; ) {
    const index = loops.findIndex((l) => l.begin === s);
    if (index < 0) {
      outer.push(steps[s++]!);
      continue;
    }
    const { label, kernel, args, end } = loops[index]!;
    outer.push({ label, kernel, args, loop: index });
    s = end;
  }
  const bodies = loops.map(
    ({ begin, end }, l): Lowered => ({
      ...rest,
      buffers: buffers.map((b) =>
        b.home.kind === 'arena' && loopOf[b.id] !== l
          ? { ...b, home: { kind: 'view', of: b.id, offset: 0, stride: 0 } }
          : b,
      ),
      steps: steps.slice(begin, end),
      inputs: [],
      outputs: [],
    }),
  );
  return { outer: { ...rest, steps: outer }, bodies, loopOf };
}

/** By buffer, which loop alone touches it, as a temporary of each iteration; −1 for none. */
function localsOf(
  { buffers, steps }: Pick<Lowered, 'buffers' | 'steps'>,
  loops: readonly Pick<LoweredLoop, 'begin' | 'end'>[],
): Int32Array {
  const inLoop = new Int32Array(steps.length).fill(-1);
  loops.forEach(({ begin, end }, l) => {
    inLoop.fill(l, begin, end);
  });
  const none = -2;
  const found = new Int32Array(buffers.length).fill(none);
  steps.forEach(({ args }, s) => {
    for (const id of args) {
      const whole = wholeOf(buffers, id);
      const own = whole === id ? inLoop[s]! : -1;
      found[whole] = found[whole] === none || found[whole] === own ? own : -1;
    }
  });
  return found.map((l, id) => {
    const { home } = buffers[id]!;
    return l === none || home.kind !== 'arena' || home.role !== 'temporary' ? -1 : l;
  });
}

/**
 * The program without loops: each step as often as it runs. Temporaries of an iteration are its own, and views stand as
 * parts of what they show. For checks: it may be long.
 */
export function unrollLowered(program: Lowered): Lowered {
  const { loops = [], ...rest } = program;
  if (loops.length === 0) return program;
  const loopOf = localsOf(program, loops);
  const buffers: Buffer[] = [...program.buffers];
  const steps: LoweredStep[] = [];
  const add = (step: LoweredStep, t: number, copies: Map<BufferId, BufferId>): void => {
    const bases = step.args.map((_, p) => step.bases?.[p] ?? 0);
    const args = step.args.map((id, p): BufferId => {
      const b = program.buffers[id]!;
      if (b.home.kind === 'view') {
        const { of, offset, stride, period } = b.home;
        bases[p]! += offset + stride * (period === undefined ? t : t % period);
        return of;
      }
      if (t === 0 || loopOf[id] === -1) return id;
      const known = copies.get(id);
      if (known !== undefined) return known;
      const copy = buffers.length as BufferId;
      buffers.push({ ...b, id: copy, name: `${b.name} (iteration ${t})` });
      copies.set(id, copy);
      return copy;
    });
    steps.push({ ...step, args, bases });
  };
  for (let s = 0; s < program.steps.length; ) {
    const loop = loops.find((l) => l.begin === s);
    if (loop === undefined) add(program.steps[s++]!, 0, new Map());
    else {
      for (let t = 0; t < loop.length; t++) {
        const copies = new Map<BufferId, BufferId>();
        for (let k = loop.begin; k < loop.end; k++) add(program.steps[k]!, t, copies);
      }
      s = loop.end;
    }
  }
  return { ...rest, buffers, steps };
}
