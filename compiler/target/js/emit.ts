// JavaScript from Kernel IR: for reading, for debugging, and for places without WebAssembly. One lane at a time.
// The source is a function body: `new Function('memory', source)(memory)` gives { kernelName: (begin, end, args) => … }.

import { compilerError } from '../../graph/errors.ts';
import type { Register } from '../../kernel/expr.ts';
import type { Kernel, Stmt } from '../../kernel/ir.ts';
import { usedParams } from '../../kernel/uses.ts';
import { Accesses, collectAccesses, type LoopAccesses } from '../access.ts';
import { Addresses, type Step } from './address.ts';
import { emitValue, type JsScope, withoutErf } from './expression.ts';
import { Names } from './names.ts';
import { conditionsText, elementText, type PlaceScope, sumText, views } from './places.ts';
import { prelude, preludeNames } from './prelude.ts';

/**
 * The source of all kernels. The same kernels give the same source. Throws HDL0017 for statements with four lanes.
 *
 * @example
 * const kernels = new Function('memory', emitJs([kernel]))(memory);
 * kernels.relu(0, 4, addressOfArguments);
 */
export function emitJs(kernels: readonly Kernel[]): string {
  const names = new Names(preludeNames);
  const functions = kernels.map((k) => ({ key: k.name, id: names.unique(k.name), kernel: k }));
  const taken = [...preludeNames, ...functions.map((f) => f.id)];
  const parts = functions.map((f) => emitFunction(f.kernel, f.id, taken));
  const record = functions.map((f) => (f.key === f.id ? f.key : `${JSON.stringify(f.key)}: ${f.id}`));
  return `${prelude}\n${parts.join('\n')}\nreturn { ${record.join(', ')} };\n`;
}

type For = Extract<Stmt, { kind: 'for' }>;

function emitFunction(kernel: Kernel, id: string, taken: readonly string[]): string {
  const names = new Names([...taken, 'begin', 'end', 'args']);
  const lines: string[] = [];
  // The arrays that the kernel looks into: as constants, so that engines check them once.
  const used = new Set(['I32']);
  let depth = 1;
  const registers = new Map<number, string>();
  const changed = registersThatChange(kernel.body);
  const scope: JsScope = {
    kernel,
    addresses: new Addresses(kernel, names, (text) => line(text)),
    accesses: new Accesses(kernel, 'elements'),
    viewOf: (param) => {
      const view = views[kernel.params[param]!.storage];
      used.add(view);
      return view;
    },
    register: (r) => registers.get(r.id)!,
    fresh: (name) => names.unique(name),
    line: (text) => lines.push('  '.repeat(depth) + text),
    indent: (by) => {
      depth += by;
    },
  };
  const { line, addresses } = scope;
  const places: PlaceScope = { ...scope, value: (e) => emitValue(e, scope) };
  const loops = collectAccesses(kernel, scope.accesses, withoutErf);
  const declareRegister = (r: Register): string => {
    const name = names.unique(r.name);
    registers.set(r.id, name);
    return name;
  };
  const block = (stmts: readonly Stmt[]): void => {
    scope.indent(1);
    addresses.enter();
    for (const s of stmts) statement(s);
    addresses.leave();
    scope.indent(-1);
  };
  const statement = (s: Stmt): void => {
    if ('lanes' in s && s.lanes !== 1)
      throw compilerError('HDL0017', {
        what: `kernel '${kernel.name}' has a ${s.kind} statement with ${s.lanes} lanes`,
        rule: 'the js target computes one lane at a time',
        hint: 'schedule the kernel for a target with one lane',
      });
    switch (s.kind) {
      case 'for':
        loop(s, loops.get(s)!);
        break;
      case 'if':
        line(`if (${conditionsText(s.conditions, places)}) {`);
        block(s.body);
        if (s.otherwise.length > 0) {
          line('} else {');
          block(s.otherwise);
        }
        line('}');
        break;
      case 'let': {
        const value = emitValue(s.value, scope);
        const name = declareRegister(s.reg);
        line(`${changed.has(s.reg.id) ? 'let' : 'const'} ${name} = ${value};`);
        break;
      }
      case 'set': {
        const value = emitValue(s.value, scope);
        line(`${scope.register(s.reg)} = ${value};`);
        break;
      }
      case 'store': {
        const value = emitValue(s.value, scope);
        const place = elementText(s.param, s.index, places);
        line(`${place} = ${kernel.params[s.param]!.storage === 'bool' ? `${value} ? 1 : 0` : value};`);
        break;
      }
      default:
        s satisfies never;
    }
  };

  const loop = (s: For, { needs, direct, innermost }: LoopAccesses): void => {
    for (const sum of needs) addresses.sum(sum);
    // Names for what the header steps: they end with the loop.
    addresses.enter();
    const limit = sumText(s.limit, places);
    const v = addresses.enterLoop(s.v);
    const steps = innermost ? direct.map((sum) => addresses.pointer(sum, s.step)) : [];
    const moves = [{ pointer: v, by: s.step }, ...steps.filter((m) => m !== null)];
    line(`for (let ${v} = 0; ${v} < ${limit}; ${moves.map(moveText).join(', ')}) {`);
    block(s.body);
    line('}');
    addresses.leaveLoop();
    addresses.leave();
  };

  for (const param of usedParams(kernel)) {
    const { storage, elements, access } = kernel.params[param]!;
    const base = addresses.declareBase(param);
    const shift = storage === 'bool' || storage === 'u8' ? '>>> 0' : '>>> 2';
    line(`const ${base} = I32[(args >> 2) + ${param}] ${shift}; // ${access} ${storage}[${elements}]`);
  }
  const unit = addresses.enterLoop(kernel.unit);
  line(`for (let ${unit} = begin; ${unit} < end; ${unit}++) {`);
  block(kernel.body);
  line('}');
  const comment = [kernel.name, kernel.schedule].map((t) => `// ${t.replace(/\s+/g, ' ')}`).join('\n');
  return `${comment}\nfunction ${id}(begin, end, args) {\n  const { ${[...used].join(', ')} } = views();\n${lines.join('\n')}\n}\n`;
}

/** `i += 4` */
function moveText({ pointer, by }: Step): string {
  if (by === 1) return `${pointer}++`;
  return by < 0 ? `${pointer} -= ${-by}` : `${pointer} += ${by}`;
}

function registersThatChange(stmts: readonly Stmt[], found: Set<number> = new Set()): Set<number> {
  for (const s of stmts) {
    if (s.kind === 'set') found.add(s.reg.id);
    else if (s.kind === 'for') registersThatChange(s.body, found);
    else if (s.kind === 'if') registersThatChange([...s.body, ...s.otherwise], found);
  }
  return found;
}
