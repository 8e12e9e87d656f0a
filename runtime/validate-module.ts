// Is a plan's WebAssembly module one that may be compiled and instantiated? It gets one memory and nothing else, does nothing
// by being instantiated (no start function, no data or tables to copy), has no memory of its own, and gives the kernels
// that the manifest names. What kernels compute is confined to the memory by the engine.

import { check, Malformed } from './malformed.ts';
import type { PlanManifest } from './plan.ts';
import { type ModuleHeader, readModule, sectionNames } from './wasm-module.ts';

/** Kernels have this type: `(begin, end, args)`. */
const kernelSignature = '(i32, i32, i32) -> ()';
/** What 32-bit addresses reach. */
const mostPages = 65536;
const allowed: ReadonlySet<number> = new Set([0, 1, 2, 3, 7, 10]);

/** Throws Malformed with the reason. */
export function checkModule({ kernels }: PlanManifest, code: Uint8Array): void {
  const header = readHeader(code);
  for (const { module, name, kind } of header.imports) {
    check(
      module === 'env' && name === 'memory' && kind === 'memory',
      `its code imports ${kind} '${module}.${name}', only memory 'env.memory' is there`,
    );
  }
  check(header.imports.length <= 1, 'its code imports memory more than once');
  if (header.memory !== null) {
    const { minimum, maximum } = header.memory;
    check(maximum !== null, 'its memory import has no maximum');
    check(
      minimum <= 1 && maximum === mostPages,
      `its memory import has limits ${minimum} to ${maximum} pages, memory here has 1 to ${mostPages}`,
    );
  }
  check(!header.hasStart, 'its code has a start function');
  for (const id of header.sections) {
    check(allowed.has(id), `its code has a section '${sectionNames[id] ?? id}', which kernels do not need`);
  }
  const exported = new Map(header.exports.map((e) => [e.name, e]));
  for (const { name } of kernels) {
    const found = exported.get(name);
    check(found?.kind === 'func', `its code does not export kernel '${name}'`);
    check(
      found.signature === kernelSignature,
      `kernel '${name}' has type ${found.signature}, kernels have ${kernelSignature}`,
    );
  }
}

function readHeader(code: Uint8Array): ModuleHeader {
  try {
    return readModule(code);
  } catch (error) {
    throw new Malformed((error as Error).message);
  }
}
