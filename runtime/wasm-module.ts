// What the runtime must know of a WebAssembly module before the engine compiles it: what it imports and exports. Reads
// only section headers, types, imports and exports; anything odd is reported by the engine afterwards. Also adapts the
// module's memory import to the memory at hand: shared or not is one bit in the bytes, and must agree to link.

/** Import or export `kind`s by their number in the binary format. */
const kinds = ['func', 'table', 'memory', 'global', 'tag'] as const;
type Kind = (typeof kinds)[number];

export interface ModuleHeader {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly kind: Kind }[];
  /** `signature` of functions: `(i32, i32, i32) -> ()`. */
  readonly exports: readonly {
    readonly name: string;
    readonly kind: Kind;
    readonly signature: string | null;
  }[];
  readonly hasStart: boolean;
  /** Limits of the imported memory; null when no memory is imported. */
  readonly memory: MemoryLimits | null;
  /** Numbers of all sections, in order. */
  readonly sections: readonly number[];
}

/** Pages; `flagsAt`: where in the code their flags lie. */
export interface MemoryLimits {
  readonly flagsAt: number;
  readonly minimum: number;
  readonly maximum: number | null;
}

/** Sections by their number in the binary format. */
export const sectionNames = [
  'custom',
  'type',
  'import',
  'function',
  'table',
  'memory',
  'global',
  'export',
  'start',
  'element',
  'code',
  'data',
  'data count',
  'tag',
] as const;

const sections = { type: 1, import: 2, function: 3, export: 7, start: 8 } as const;
const sharedFlag = 2;

/** Reads the header of a module; throws an Error that says why when the bytes are no such module. */
export function readModule(code: Uint8Array): ModuleHeader {
  const reader = new Reader(code);
  if (reader.fixed32() !== 0x6d736100) throw new Error('code does not start as a WebAssembly module');
  if (reader.fixed32() !== 1) throw new Error('code is not of WebAssembly version 1');
  const types: string[] = [];
  const functions: number[] = [];
  const imports: ModuleHeader['imports'][number][] = [];
  const exported: { name: string; kind: Kind; index: number }[] = [];
  let memory: ModuleHeader['memory'] = null;
  let hasStart = false;
  const ids: number[] = [];

  while (!reader.atEnd) {
    const id = reader.byte();
    const size = reader.size();
    const end = size + reader.at;
    ids.push(id);
    if (end > code.length) throw new Error(`section ${id} is longer than the code`);
    switch (id) {
      case sections.type:
        reader.vector(() => types.push(reader.functionType()));
        break;
      case sections.import:
        reader.vector(() => {
          const module = reader.name();
          const name = reader.name();
          const kind = reader.kind();
          imports.push({ module, name, kind });
          if (kind === 'func') functions.push(reader.size());
          else if (kind === 'memory') memory = reader.limits();
          else throw new Error(`it imports ${kind} '${module}.${name}'`);
        });
        break;
      case sections.function:
        reader.vector(() => functions.push(reader.size()));
        break;
      case sections.export:
        reader.vector(() =>
          exported.push({ name: reader.name(), kind: reader.kind(), index: reader.size() }),
        );
        break;
      case sections.start:
        hasStart = true;
        break;
    }
    if (reader.at > end) throw new Error(`section ${id} says that it is shorter than it is`);
    reader.at = end;
  }
  const signatureOf = (index: number) => types[functions[index] ?? -1] ?? null;
  const exports = exported.map(({ name, kind, index }) => ({
    name,
    kind,
    signature: kind === 'func' ? signatureOf(index) : null,
  }));
  return { imports, exports, hasStart, memory, sections: ids };
}

/** The code with its memory import declared shared or not; the same bytes when it already is. */
export function withSharedMemory(code: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(code);
  const { memory } = readModule(code);
  if (memory === null) return copy;
  const flags = copy[memory.flagsAt]!;
  copy[memory.flagsAt] = shared ? flags | sharedFlag : flags & ~sharedFlag;
  return copy;
}

const valueTypes: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
  112: 'funcref',
  111: 'externref',
};

class Reader {
  at = 0;
  readonly #code: Uint8Array;

  constructor(code: Uint8Array) {
    this.#code = code;
  }

  get atEnd(): boolean {
    return this.at >= this.#code.length;
  }

  byte(): number {
    const value = this.#code[this.at++];
    if (value === undefined) throw new Error('code ends in the middle of a section');
    return value;
  }

  fixed32(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  size(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number in the code is too long');
  }

  vector(item: () => void): void {
    const count = this.size();
    for (let i = 0; i < count; i++) item();
  }

  name(): string {
    const length = this.size();
    const bytes = this.#code.slice(this.at, this.at + length);
    if (bytes.length !== length) throw new Error('code ends in the middle of a name');
    this.at += length;
    return new TextDecoder().decode(bytes);
  }

  kind(): Kind {
    const byte = this.byte();
    const kind = kinds[byte];
    if (kind === undefined) throw new Error(`import or export of unknown kind ${byte}`);
    return kind;
  }

  functionType(): string {
    const form = this.byte();
    if (form !== 0x60) throw new Error(`a type is not a function (form ${form})`);
    const list = () => {
      const names: string[] = [];
      this.vector(() => {
        const byte = this.byte();
        names.push(valueTypes[byte] ?? `type ${byte}`);
      });
      return `(${names.join(', ')})`;
    };
    return `${list()} -> ${list()}`;
  }

  limits(): MemoryLimits {
    const flagsAt = this.at;
    const flags = this.byte();
    if (flags > 3) throw new Error('its memory is not addressed by 32 bits');
    const minimum = this.size();
    return { flagsAt, minimum, maximum: (flags & 1) === 0 ? null : this.size() };
  }
}
