// The few globals shared by browsers and Node that neither lib.es2023 nor @types/node 20 describes: WebAssembly, and
// what a page or a worker offers. Declared here rather than by `lib: ["dom"]` or `["webworker"]`, which would let
// `document` or `window` into code that has to run in a worker and in Node too. A name that one of the hosts lacks
// is `| undefined`, so the type-checker asks for the fallback. Declarations only: nothing is emitted from this file.

declare namespace WebAssembly {
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'externref' | 'anyfunc';
  type ExternKind = 'function' | 'global' | 'memory' | 'table' | 'tag';
  // biome-ignore lint/complexity/noBannedTypes: an exported function's signature is known to its caller alone
  type Extern = Function | Global | Memory | Table;
  type Exports = Readonly<Record<string, Extern>>;
  type Imports = Readonly<Record<string, Readonly<Record<string, Extern | number | bigint>>>>;
  type Bytes = ArrayBufferView<ArrayBuffer> | ArrayBuffer;

  interface ModuleExportDescriptor {
    readonly kind: ExternKind;
    readonly name: string;
  }
  interface ModuleImportDescriptor extends ModuleExportDescriptor {
    readonly module: string;
  }

  /** Compiled code; immutable, so it can be posted to workers and shared. The private member makes it nominal. */
  class Module {
    private readonly module: never;
    constructor(bytes: Bytes);
    static customSections(module: Module, sectionName: string): ArrayBuffer[];
    static exports(module: Module): ModuleExportDescriptor[];
    static imports(module: Module): ModuleImportDescriptor[];
  }
  class Instance {
    readonly exports: Exports;
    constructor(module: Module, imports?: Imports);
  }

  /** Sizes in pages of 64 KiB. */
  interface MemoryDescriptor {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }
  class Memory {
    /** A SharedArrayBuffer when the descriptor said `shared`. Detached or outgrown by `grow`: read it anew afterwards. */
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    constructor(descriptor: MemoryDescriptor);
    grow(pages: number): number;
  }

  class Table {
    private readonly table: never;
    readonly length: number;
    constructor(descriptor: {
      readonly element: 'anyfunc' | 'externref';
      readonly initial: number;
      readonly maximum?: number;
    });
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(count: number, value?: unknown): number;
  }
  class Global<T extends number | bigint = number | bigint> {
    value: T;
    constructor(descriptor: { readonly value: ValueType; readonly mutable?: boolean }, value?: T);
  }

  class CompileError extends Error {
    private readonly kind: never;
  }
  class LinkError extends Error {
    private readonly kind: never;
  }
  class RuntimeError extends Error {
    private readonly kind: never;
  }

  function validate(bytes: Bytes): boolean;
  function compile(bytes: Bytes): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function instantiate(bytes: Bytes, imports?: Imports): Promise<{ module: Module; instance: Instance }>;
}

interface WorkerMessage {
  readonly data: unknown;
}
interface WorkerFailure {
  readonly message?: string;
  readonly error?: unknown;
}

/** The creator's end of a worker: what browsers and the `web-worker` package have in common. */
interface Worker {
  onmessage: ((event: WorkerMessage) => void) | null;
  onerror: ((event: WorkerFailure) => void) | null;
  onmessageerror: ((event: WorkerMessage) => void) | null;
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  addEventListener(type: 'message' | 'messageerror', listener: (event: WorkerMessage) => void): void;
  addEventListener(type: 'error', listener: (event: WorkerFailure) => void): void;
  /** The thread has ended. Only told by `web-worker` in Node. */
  addEventListener(type: 'close', listener: () => void): void;
  removeEventListener(type: 'message' | 'messageerror', listener: (event: WorkerMessage) => void): void;
  removeEventListener(type: 'error', listener: (event: WorkerFailure) => void): void;
  terminate(): void;
}

/** Absent in Node. */
declare var Worker: new (url: URL, options: { readonly type: 'module' }) => Worker;

/** The worker's own end. Absent on the main thread of Node; on the main thread of a page it is the window. */
interface WorkerScope {
  onmessage: ((event: WorkerMessage) => void) | null;
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  addEventListener(type: 'message' | 'messageerror', listener: (event: WorkerMessage) => void): void;
  close(): void;
}

declare var self: WorkerScope | undefined;

/** Node has it from version 21 on. */
declare var navigator: { readonly hardwareConcurrency?: number; readonly userAgent?: string } | undefined;

/** Browsers only: false where SharedArrayBuffer cannot be posted to workers. */
declare var crossOriginIsolated: boolean | undefined;
