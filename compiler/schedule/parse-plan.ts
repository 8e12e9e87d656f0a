// Reads the text of a plan (see plan-text.ts). In: text, and the bytes that it names by their hashes. Out: the plan, equal to
// the one that was printed. What is read is a plan's form alone; that it is safe to run is for the loader to find out.

import {
  type Location,
  type PlainItem,
  type Plan,
  type PlanBuffer,
  type PlanDType,
  type PlanKernel,
  type PlanLoop,
  type PlanManifest,
  type PlanMove,
  type PlanPlacement,
  type PlanSchedule,
  type PlanSite,
  type PlanStep,
  type PlanTensor,
  type PlanVariable,
  planFormat,
  type ScheduleItem,
} from '../../runtime/plan.ts';
import { nearestName } from '../graph/nearest.ts';
import { TokenCursor } from '../graph/tokens.ts';
import { dtypes } from '../graph/types.ts';

export interface ParsePlanOptions {
  /** Code and constants by their hashes (`blobHash`). */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Stands in errors; default `plan text`. */
  readonly file?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** What a text says, as it grows. */
interface Draft extends Mutable<Omit<PlanManifest, 'format' | 'tiles' | 'loops'>> {
  readonly loops: PlanLoop[];
  readonly tiles: Map<string, readonly [number, number]>;
  readonly blobs: Map<string, Uint8Array>;
}

/**
 * Reads a plan. Throws HDL0006, with line, column and the offending line, for text that is no plan, for records that are
 * out of order, and for bytes that `blobs` does not have.
 *
 * @example const plan = parsePlan(text, { blobs: new Map([[blobHash(code), code], [blobHash(constants), constants]]) });
 */
export function parsePlan(text: string, { blobs, file = 'plan text' }: ParsePlanOptions): Plan {
  const c = new TokenCursor(text, file);
  c.expect('plan');
  const entry = c.name('the name of the entry').text;
  c.expect('for');
  const draft: Draft = {
    entry,
    target: choice(c, ['wasm', 'js']),
    features: c.sees('(') ? list(c, '(', ')', () => c.name('a feature').text) : [],
    arenaBytes: 0,
    constantBytes: 0,
    tiles: new Map(),
    inputs: [],
    outputs: [],
    variables: [],
    kernels: [],
    steps: [],
    loops: [],
    schedules: [],
    sites: [],
    buffers: [],
    blobs: new Map(),
  };
  c.expect('{');
  while (!c.accept('}')) {
    const { text: kind } = c.peek;
    const read = Object.hasOwn(records, kind) ? records[kind] : undefined;
    const near = nearestName(kind, Object.keys(records));
    if (read === undefined)
      return c.unexpected(`a record of a plan${near ? ` such as '${near}'` : ''}, or '}'`);
    c.next();
    read(c, draft, blobs);
  }
  if (c.peek.kind !== 'end') c.unexpected('the end of the text');
  const { tiles, loops, blobs: found, ...rest } = draft;
  for (const what of ['code', 'constants'])
    if (!found.has(what)) throw c.error(c.peek.at, `the plan has no record '${what}'`);
  return {
    manifest: {
      format: planFormat,
      ...rest,
      ...(loops.length > 0 && { loops }),
      ...(tiles.size > 0 && { tiles: Object.fromEntries(tiles) }),
    },
    code: found.get('code')!,
    constants: found.get('constants')!,
  };
}

type Reader = (c: TokenCursor, draft: Draft, blobs: ReadonlyMap<string, Uint8Array>) => void;

const records: Readonly<Record<string, Reader>> = {
  arena: (c, draft) => {
    draft.arenaBytes = c.count('bytes');
  },
  code: (c, draft, blobs) => void readBlob(c, 'code', draft, blobs),
  constants: (c, draft, blobs) => {
    draft.constantBytes = readBlob(c, 'constants', draft, blobs);
  },
  tile: (c, draft) => {
    const key = c.name('the key of a contraction').text;
    c.expect(':');
    draft.tiles.set(key, [c.count('rows'), c.count('columns')]);
  },
  input: (c, draft) => void draft.inputs.push(placement(c)),
  output: (c, draft) => void draft.outputs.push(placement(c)),
  variable: (c, draft) => void draft.variables.push(variable(c)),
  kernel: (c, draft) => {
    number(c, draft.kernels.length, 'kernel');
    draft.kernels.push(kernel(c));
  },
  step: (c, draft) => {
    number(c, draft.steps.length, 'step');
    draft.steps.push(step(c));
  },
  loop: (c, draft) => {
    number(c, draft.loops.length, 'loop');
    draft.loops.push(loop(c));
  },
  schedule: (c, draft) => void draft.schedules.push(schedule(c, draft.steps)),
  site: (c, draft) => void draft.sites.push(site(c)),
  buffer: (c, draft) => void draft.buffers.push(buffer(c)),
};

function readBlob(
  c: TokenCursor,
  what: string,
  draft: Draft,
  blobs: ReadonlyMap<string, Uint8Array>,
): number {
  const token = c.peek;
  if (token.kind !== 'hash') c.unexpected(`the hash of the ${what}`);
  c.next();
  const bytes = blobs.get(token.text);
  if (bytes === undefined) {
    throw c.error(token.at, `the ${what} of this plan is not among the given bytes`, {
      rule: 'a text names code and constants by their hashes; the bytes come with it',
      hint: 'parsePlan(text, { blobs: new Map([[blobHash(code), code], …]) })',
    });
  }
  draft.blobs.set(what, bytes);
  const at = c.peek.at;
  const length = c.count('a number of bytes');
  if (what === 'code' && length !== bytes.length)
    throw c.error(at, `the code has ${bytes.length} bytes, not ${length}`);
  return length;
}

/** Records of a kind are numbered from 0, one after the other. */
function number(c: TokenCursor, expected: number, what: string): void {
  const at = c.peek.at;
  const found = c.count(`the number of the ${what}`);
  if (found !== expected) throw c.error(at, `${what} ${found} stands where ${what} ${expected} should`);
}

function choice<const T extends string>(c: TokenCursor, of: readonly T[]): T {
  const { text } = c.peek;
  const found = of.find((x) => x === text);
  if (found === undefined) c.unexpected(of.join(' or '));
  c.next();
  return found;
}

function list<T>(c: TokenCursor, open: string, close: string, read: () => T): T[] {
  const items: T[] = [];
  c.expect(open);
  if (c.accept(close)) return items;
  do items.push(read());
  while (c.accept(','));
  c.expect(close);
  return items;
}

/** Also below zero. */
function integer(c: TokenCursor, what: string): number {
  const { kind, text } = c.peek;
  const value = Number(text);
  if (kind !== 'number' || !Number.isSafeInteger(value)) c.unexpected(what);
  c.next();
  return value;
}

/** A count that may be too large, or have a fraction, for an integer. */
function amount(c: TokenCursor, what: string): number {
  if (c.peek.kind !== 'number') c.unexpected(what);
  return Number(c.next().text);
}

function tensor(c: TokenCursor): PlanTensor {
  const name = c.name('the name of a tensor').text;
  c.expect(':');
  const dtype = choice(c, Object.keys(dtypes)) as PlanDType;
  return { name, dtype, shape: list(c, '[', ']', () => c.count('a dimension')) };
}

function order(c: TokenCursor, rank: number): number[] {
  if (!c.accept('order')) return Array.from({ length: rank }, (_, d) => d);
  return list(c, '[', ']', () => c.count('a dimension'));
}

function placement(c: TokenCursor): PlanPlacement {
  const t = tensor(c);
  const dims = order(c, t.shape.length);
  c.expect('@');
  return { ...t, location: location(c), order: dims };
}

function variable(c: TokenCursor): PlanVariable {
  const t = tensor(c);
  const trainable = c.accept('trainable');
  const updated = c.accept('updated');
  return { ...t, order: order(c, t.shape.length), trainable, updated };
}

function location(c: TokenCursor): Location {
  const space = choice(c, ['arena', 'constant', 'current', 'next', 'flags']);
  if (space === 'flags') return { space };
  if (space === 'arena' || space === 'constant') return { space, offset: c.count('an offset') };
  return { space: 'variable', variable: c.count('the number of a variable'), bank: space };
}

function kernel(c: TokenCursor): PlanKernel {
  const name = c.name('the name of a kernel').text;
  const params = list(c, '(', ')', () => ({
    access: choice(c, ['read', 'write']),
    bytes: c.count('bytes'),
  }));
  const units = c.accept('units') ? { units: c.count('units') } : {};
  if (!c.accept('flops')) return { name, params, ...units };
  const flops = amount(c, 'operations');
  c.expect('bytes');
  const bytes = amount(c, 'bytes');
  return {
    name,
    params,
    ...units,
    work: { flops, bytes, schedule: c.name('how its loops were chosen').text },
  };
}

function step(c: TokenCursor): PlanStep {
  const label = c.name('the label of a step').text;
  c.expect(':');
  c.expect('kernel');
  const index = c.count('the number of a kernel');
  c.expect('units');
  const units = c.count('units');
  const moves: (PlanMove | null)[] = [];
  const args = list(c, '(', ')', () => {
    const place = location(c);
    moves.push(move(c));
    return place;
  });
  return { label, kernel: index, args, units, ...(moves.some((m) => m !== null) && { moves }) };
}

function move(c: TokenCursor): PlanMove | null {
  if (!c.accept('by')) return null;
  const stride = integer(c, 'bytes');
  return c.accept('of') ? { stride, period: c.count('iterations') } : { stride };
}

function loop(c: TokenCursor): PlanLoop {
  const label = c.name('the label of a loop').text;
  c.expect(':');
  c.expect('from');
  const begin = c.count('the first step');
  c.expect('to');
  const end = c.count('the last step') + 1;
  c.expect('times');
  return { label, begin, end, length: c.count('how often it runs') };
}

function schedule(c: TokenCursor, steps: readonly PlanStep[]): PlanSchedule {
  const workers = c.count('the number of workers');
  const lists: ScheduleItem[][] = [];
  c.expect('{');
  while (c.accept('worker')) {
    number(c, lists.length, 'worker');
    c.expect(':');
    const items: ScheduleItem[] = [];
    if (c.peek.kind === 'number' || itemWords.some((word) => c.sees(word))) {
      do items.push(item(c, steps));
      while (c.accept(','));
    }
    lists.push(items);
  }
  c.expect('}');
  return { workers, lists };
}

const itemWords = ['barrier', 'signal', 'wait', 'repeat'] as const;

function item(c: TokenCursor, steps: readonly PlanStep[]): ScheduleItem {
  if (!c.accept('repeat')) return plainItem(c, steps);
  const number = c.count('the number of a loop');
  return { do: 'repeat', loop: number, items: list(c, '(', ')', () => plainItem(c, steps)) };
}

function plainItem(c: TokenCursor, steps: readonly PlanStep[]): PlainItem {
  if (c.accept('barrier')) return { do: 'barrier' };
  if (c.accept('signal')) return { do: 'barrier', after: [] };
  if (c.accept('wait')) {
    const after: number[] = [];
    do after.push(c.count('the number of a worker'));
    while (c.peek.kind === 'number');
    return { do: 'barrier', after };
  }
  const at = c.peek.at;
  const step = c.count('the number of a step');
  const [begin, end] = c.accept('[') ? range(c) : [0, steps[step]?.units];
  if (end === undefined) throw c.error(at, `there is no step ${step} above`);
  const shared = c.accept('shared') ? { shared: c.count('units') } : {};
  return { do: 'run', step, begin, end, ...shared };
}

/** After `[`. */
function range(c: TokenCursor): [number, number] {
  const begin = c.count('the first unit');
  c.expect(',');
  const end = c.count('the unit after the last');
  c.expect(')');
  return [begin, end];
}

function site(c: TokenCursor): PlanSite {
  const kind = choice(c, ['index', 'finite']);
  const label = c.name('a label').text;
  const loc = c.accept('at') ? c.name('a place').text : null;
  c.expect('size');
  return { kind, label, loc, size: c.count('a size') };
}

function buffer(c: TokenCursor): PlanBuffer {
  const name = c.name('the name of a buffer').text;
  c.expect('@');
  const offset = c.count('an offset');
  c.expect('bytes');
  const bytes = c.count('bytes');
  c.expect('from');
  const from = integer(c, 'a step');
  c.expect('to');
  return { name, offset, bytes, from, to: integer(c, 'a step') };
}
