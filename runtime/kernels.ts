// From a plan's code to functions that can be called: the same in every thread that computes. WebAssembly is compiled
// once and instantiated per thread; JavaScript is made from its source in each thread, and made anew whenever memory
// has grown, since it may hold views of it.

/** Runs units [begin, end). `args` is the byte address of the step's arguments. */
export type KernelFunction = (begin: number, end: number, args: number) => void;

/** A plan's code in a form that can be posted to workers. */
export type KernelCode =
  | { readonly target: 'wasm'; readonly module: WebAssembly.Module; readonly names: readonly string[] }
  | { readonly target: 'js'; readonly source: string; readonly names: readonly string[] };

/** The kernels in the order of `names`; throws when the code does not give them. */
export function bindKernels(code: KernelCode, memory: WebAssembly.Memory): KernelFunction[] {
  const found = code.target === 'wasm' ? instantiate(code.module, memory) : evaluate(code.source, memory);
  return code.names.map((name) => {
    const kernel = Object.hasOwn(found, name) ? found[name] : undefined;
    if (typeof kernel !== 'function') throw new Error(`the code has no kernel '${name}'`);
    return kernel as KernelFunction;
  });
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Record<string, unknown> {
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}

function evaluate(source: string, memory: WebAssembly.Memory): Record<string, unknown> {
  const made: unknown = new Function('memory', source)(memory);
  if (typeof made !== 'object' || made === null)
    throw new Error('the code does not return a record of kernels');
  return made as Record<string, unknown>;
}
