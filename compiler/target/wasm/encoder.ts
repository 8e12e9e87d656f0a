// A small encoder of WebAssembly modules: bytes for the engine and, when asked for, the same instructions as text.
// In: instructions by name, locals, functions, one imported memory. Out: the bytes of a module, or its WAT.
// Invariant: the same calls give the same bytes, and the text assembles to the same instructions.

import {
  type LaneOp,
  laneOps,
  type MemoryOp,
  memoryOps,
  type PlainOp,
  plainOps,
  type ValueType,
  valueTypes,
} from './opcodes.ts';

/** Bytes in an array that doubles when it is full. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  /** Unsigned LEB128. */
  u32(value: number): void {
    let rest = value >>> 0;
    if (rest < 128 && this.length < this.#bytes.length) {
      this.#bytes[this.length++] = rest;
      return;
    }
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A byte and an unsigned number: most instructions are two bytes long. */
  pair(first: number, second: number): void {
    if (second < 128 && this.length + 2 <= this.#bytes.length) {
      this.#bytes[this.length++] = first;
      this.#bytes[this.length++] = second;
      return;
    }
    this.byte(first);
    this.u32(second);
  }

  /** Signed LEB128. */
  s32(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 127) | 128);
      rest >>= 7;
    }
    this.byte(rest & 127);
  }

  /** Four bytes, least significant first. */
  word(bits: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((bits >>> shift) & 255);
  }

  text(value: string): void {
    const utf8 = new TextEncoder().encode(value);
    this.u32(utf8.length);
    this.append(utf8);
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What was written so far: a view, valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + by));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

/** A sequence of instructions. `listing` collects the text; null when nobody wants it. */
export class Code {
  readonly bytes: ByteWriter = new ByteWriter();
  readonly listing: string[] | null;
  readonly #names: readonly string[];

  /** `names` are the names of the locals, by number; it may grow while code is written. */
  constructor(names: readonly string[], listed: boolean) {
    this.#names = names;
    this.listing = listed ? [] : null;
  }

  op(name: PlainOp): void {
    const code = plainOps[name];
    if (code < 0xfd00) this.bytes.byte(code);
    else this.bytes.pair(0xfd, code - 0xfd00);
    this.listing?.push(name);
  }

  lane(name: LaneOp, lane: number): void {
    this.#opcode(laneOps[name]);
    this.bytes.byte(lane);
    this.listing?.push(`${name} ${lane}`);
  }

  /** A load or store at `offset` bytes from the address on the stack. */
  memory(name: MemoryOp, offset: number, lane = 0): void {
    const op = memoryOps[name];
    this.#opcode(op.code);
    this.bytes.pair(op.align, offset);
    if (op.lane) this.bytes.byte(lane);
    this.listing?.push(
      `${name}${offset === 0 ? '' : ` offset=${offset}`} align=${1 << op.align}${op.lane ? ` ${lane}` : ''}`,
    );
  }

  get(local: number): void {
    this.bytes.pair(0x20, local);
    this.listing?.push(`local.get $${this.#names[local]}`);
  }

  set(local: number): void {
    this.bytes.pair(0x21, local);
    this.listing?.push(`local.set $${this.#names[local]}`);
  }

  tee(local: number): void {
    this.bytes.pair(0x22, local);
    this.listing?.push(`local.tee $${this.#names[local]}`);
  }

  i32(value: number): void {
    this.bytes.byte(0x41);
    this.bytes.s32(value);
    this.listing?.push(`i32.const ${value | 0}`);
  }

  /** The constant with these four 32-bit lanes. */
  v128(lanes: readonly [number, number, number, number]): void {
    this.#opcode(0xfd0c);
    for (const bits of lanes) this.bytes.word(bits);
    this.listing?.push(`v128.const i32x4 ${lanes.map((b) => `0x${(b >>> 0).toString(16)}`).join(' ')}`);
  }

  /** Bytes of two vectors (0-15 of the first, 16-31 of the second) in a new order. */
  shuffle(bytes: readonly number[]): void {
    this.#opcode(0xfd0d);
    for (const b of bytes) this.bytes.byte(b);
    this.listing?.push(`i8x16.shuffle ${bytes.join(' ')}`);
  }

  block(): void {
    this.#structure(0x02, 'block');
  }

  loop(): void {
    this.#structure(0x03, 'loop');
  }

  if(result: ValueType | null = null): void {
    this.bytes.byte(0x04);
    this.bytes.byte(result === null ? 0x40 : valueTypes[result]);
    this.listing?.push(result === null ? 'if' : `if (result ${result})`);
  }

  else(): void {
    this.bytes.byte(0x05);
    this.listing?.push('else');
  }

  end(): void {
    this.bytes.byte(0x0b);
    this.listing?.push('end');
  }

  /** Jumps out of (or to the head of) the block `depth` levels up when the condition on the stack is not 0. */
  branchIf(depth: number): void {
    this.bytes.byte(0x0d);
    this.bytes.u32(depth);
    this.listing?.push(`br_if ${depth}`);
  }

  #structure(code: number, name: string): void {
    this.bytes.byte(code);
    this.bytes.byte(0x40);
    this.listing?.push(name);
  }

  #opcode(code: number): void {
    if (code < 0xfd00) this.bytes.byte(code);
    else this.bytes.pair(0xfd, code - 0xfd00);
  }
}

/** One function under construction: parameters, locals, code that runs first (`prologue`), and the rest (`body`). */
export class FunctionBuilder {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly locals: ValueType[] = [];
  /** Of parameters and locals. */
  readonly names: string[];
  readonly prologue: Code;
  readonly body: Code;
  /** How often a name was asked for; null when nobody will read it. */
  readonly #taken: Map<string, number> | null;

  constructor(name: string, params: readonly (readonly [name: string, type: ValueType])[], listed: boolean) {
    this.name = name;
    this.#taken = listed ? new Map() : null;
    this.params = params.map(([, type]) => type);
    this.names = params.map(([n]) => n);
    for (const n of this.names) this.#taken?.set(n, 1);
    this.prologue = new Code(this.names, listed);
    this.body = new Code(this.names, listed);
  }

  /** A new local. In a listing its name is made unique; it is there for readers only. */
  local(type: ValueType, name: string): number {
    if (this.#taken !== null) this.names.push(uniqueName(this.#taken, name));
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }
}

function uniqueName(taken: Map<string, number>, name: string): string {
  const base = name.replace(/[^A-Za-z0-9_]+/g, '_') || 'x';
  let unique = base;
  while (taken.has(unique)) {
    const n = (taken.get(base) ?? 1) + 1;
    taken.set(base, n);
    unique = `${base}.${n}`;
  }
  taken.set(unique, 1);
  return unique;
}

export interface ModuleMemory {
  /** Whether the memory is shared between threads; the loader may flip this one bit. Any size up to 4 GiB is accepted. */
  readonly shared: boolean;
}

const largestPages = 65536;

/** The bytes of a module that imports `env.memory` and exports the functions by their names. */
export function encodeModule(
  functions: readonly FunctionBuilder[],
  memory: ModuleMemory,
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.word(0x6d736100);
  out.word(1);
  const section = (id: number, write: (w: ByteWriter) => void): void => {
    const w = new ByteWriter();
    write(w);
    out.byte(id);
    out.u32(w.length);
    out.append(w.view());
  };
  const types = [...new Set(functions.map((f) => f.params.join()))];
  section(1, (w) => {
    w.u32(types.length);
    for (const type of types) {
      const params = type === '' ? [] : (type.split(',') as ValueType[]);
      w.byte(0x60);
      w.u32(params.length);
      for (const p of params) w.byte(valueTypes[p]);
      w.u32(0);
    }
  });
  section(2, (w) => {
    w.u32(1);
    w.text('env');
    w.text('memory');
    w.byte(0x02);
    w.byte(memory.shared ? 0x03 : 0x01);
    w.u32(1);
    w.u32(largestPages);
  });
  section(3, (w) => {
    w.u32(functions.length);
    for (const f of functions) w.u32(types.indexOf(f.params.join()));
  });
  section(7, (w) => {
    w.u32(functions.length);
    functions.forEach((f, i) => {
      w.text(f.name);
      w.byte(0x00);
      w.u32(i);
    });
  });
  section(10, (w) => {
    w.u32(functions.length);
    for (const f of functions) {
      const head = new ByteWriter();
      const runs = localRuns(f.locals);
      head.u32(runs.length);
      for (const [count, type] of runs) {
        head.u32(count);
        head.byte(valueTypes[type]);
      }
      w.u32(head.length + f.prologue.bytes.length + f.body.bytes.length + 1);
      w.append(head.view());
      w.append(f.prologue.bytes.view());
      w.append(f.body.bytes.view());
      w.byte(0x0b);
    }
  });
  return out.view().slice();
}

function localRuns(locals: readonly ValueType[]): [number, ValueType][] {
  const runs: [number, ValueType][] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last && last[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  return runs;
}

/** The same module as text. The functions must have been built with a listing. */
export function printModule(functions: readonly FunctionBuilder[], memory: ModuleMemory): string {
  const out: string[] = ['(module'];
  out.push(`  (import "env" "memory" (memory 1 ${largestPages}${memory.shared ? ' shared' : ''}))`);
  for (const f of functions) {
    const names = f.names.map((n) => `$${n}`);
    const params = f.params.map((type, i) => ` (param ${names[i]} ${type})`).join('');
    out.push(`  (func (export ${JSON.stringify(f.name)})${params}`);
    f.locals.forEach((type, i) => {
      out.push(`    (local ${names[f.params.length + i]} ${type})`);
    });
    let depth = 2;
    for (const line of [...(f.prologue.listing ?? []), ...(f.body.listing ?? [])]) {
      if (line === 'end' || line === 'else') depth--;
      out.push('  '.repeat(depth) + line);
      if (line === 'else' || /^(block|loop|if)\b/.test(line)) depth++;
    }
    out.push('  )');
  }
  out.push(')');
  return `${out.join('\n')}\n`;
}
