// Pool: what is computed in the same way shares its code. Addresses are arguments, so two layers of equal shape are one
// kernel; it is scheduled once, modules get smaller, and the engine's optimizer sees fewer, hotter functions.

import type { Index, LoopVar } from './affine.ts';
import type { KernelDefinition } from './definition.ts';
import type { Condition, Expr, Register } from './expr.ts';
import type { Kernel, Target } from './ir.ts';
import { type Bound, type NewTemporary, prepareContraction, scheduleKernel } from './schedule/index.ts';

/** One call of a kernel, with what its parameters stand for. */
export interface KernelCall<Arg> {
  readonly label: string;
  readonly kernel: Kernel;
  readonly args: readonly Arg[];
}

/** A definition of those that one was replaced by. Arguments are its parameters, and −1, −2, … for temporaries. */
interface Part extends Bound<number> {
  kernel: Kernel | null;
}

/** What a definition becomes, for all that compute the same: names stand as places to be filled. */
interface Prepared {
  readonly parts: readonly Part[];
  readonly temporaries: readonly { readonly name: string; readonly elements: number }[];
}

export class KernelPool {
  private readonly target: Target;
  private readonly byKey = new Map<string, Kernel>();
  private readonly prepared = new Map<string, Prepared>();
  private readonly names = new Map<string, number>();

  constructor(target: Target) {
    this.target = target;
  }

  /**
   * The kernels that compute a definition, in order, with `temporary` buffers between them: earlier ones if they compute
   * the same.
   */
  calls<Arg>({ def, args }: Bound<Arg>, temporary: NewTemporary<Arg>): KernelCall<Arg>[] {
    const key = definitionKey(def);
    let prepared = this.prepared.get(key);
    if (!prepared) {
      prepared = prepare(def, this.target);
      this.prepared.set(key, prepared);
    }
    const fill = (text: string): string =>
      text.replace(place, (_, i: string) => (i === '' ? def.name : def.params[Number(i)]!.name));
    const between = prepared.temporaries.map(({ name, elements }) => temporary(fill(name), elements));
    return prepared.parts.map((part) => {
      const label = fill(part.def.name);
      if (part.kernel === null) {
        const params = part.def.params.map((p) => ({ ...p, name: fill(p.name) }));
        const known = prepared.parts.length === 1 ? key : undefined;
        part.kernel = this.schedule({ ...part.def, name: label, params }, known);
      }
      return {
        label,
        kernel: part.kernel,
        args: part.args.map((a) => (a >= 0 ? args[a]! : between[-1 - a]!)),
      };
    });
  }

  /** The kernel of a definition: an earlier one if it computes the same, else a new one with a name of its own. */
  schedule(def: KernelDefinition, key: string = definitionKey(def)): Kernel {
    const seen = this.byKey.get(key);
    if (seen) return seen;
    const base = def.name.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'kernel';
    const count = this.names.get(base) ?? 0;
    this.names.set(base, count + 1);
    const kernel = scheduleKernel({ ...def, name: count === 0 ? base : `${base}_${count + 1}` }, this.target);
    this.byKey.set(key, kernel);
    return kernel;
  }
}

/** Where the definition's name, or that of a parameter, goes. */
const place = /\0(\d*);/g;

function prepare(def: KernelDefinition, target: Target): Prepared {
  const temporaries: { name: string; elements: number }[] = [];
  const named = { ...def, name: '\0;', params: def.params.map((p, i) => ({ ...p, name: `\0${i};` })) };
  const bound = { def: named, args: def.params.map((_, i) => i) };
  const parts = prepareContraction<number>(
    bound,
    target,
    (name, elements) => -temporaries.push({ name, elements }),
  );
  return { parts: parts.map((part) => ({ ...part, kernel: null })), temporaries };
}

/** A text that is equal for definitions that compute the same: variables are numbered by first appearance. */
function definitionKey(def: KernelDefinition): string {
  const ids = new Map<string, number>();
  const number = (kind: string, id: number): string => {
    const k = `${kind}${id}`;
    let n = ids.get(k);
    if (n === undefined) {
      n = ids.size;
      ids.set(k, n);
    }
    return `${kind}${n}`;
  };
  const loopVar = (v: LoopVar): string => `${number('v', v.id)}:${v.extent}`;
  const register = (r: Register): string => `${number('r', r.id)}${r.type}`;
  const index = (i: Index): string =>
    `${i.constant}${i.terms
      .map(({ coeff, atom }) => {
        if (atom.kind === 'var') return `+${coeff}${loopVar(atom)}`;
        if (atom.kind === 'value') return `+${coeff}[${expr(atom.expr)}<${atom.extent}]`;
        return `+${coeff}${atom.kind}(${index(atom.x)},${atom.by})`;
      })
      // Terms are sorted by number of variable; renumbered they may come in another order.
      .sort()
      .join('')}`;
  const condition = (c: Condition): string =>
    c.kind === 'inRange' ? `${index(c.index)}in${c.lo},${c.hi}` : `${index(c.index)}by${c.by}`;
  const known = new Map<Expr, number>();
  const expr = (e: Expr): string => {
    const seen = known.get(e);
    if (seen !== undefined) return `#${seen}`;
    const text = exprText(e);
    known.set(e, known.size);
    return text;
  };
  const exprText = (e: Expr): string => {
    switch (e.kind) {
      case 'const':
        return `${e.type}${Object.is(e.value, -0) ? '-0' : e.value}`;
      case 'load':
        return `load${e.type}${e.param}[${index(e.index)};${e.laneStride}]`;
      case 'index':
        return `index[${index(e.index)};${e.laneStride}]`;
      case 'unary':
        return `${e.fn}${e.type}(${expr(e.x)})`;
      case 'binary':
        return `${e.fn}${e.type}(${expr(e.x)},${expr(e.y)})`;
      case 'compare':
        return `${e.fn}${e.operandType}(${expr(e.x)},${expr(e.y)})`;
      case 'select':
        return `select${e.type}(${expr(e.cond)},${expr(e.x)},${expr(e.y)})`;
      case 'convert':
      case 'bitcast':
        return `${e.kind}${e.from}${e.type}(${expr(e.x)})`;
      case 'guard':
        return `guard(${e.conditions.map(condition).join()}?${expr(e.value)}:${expr(e.otherwise)})`;
      case 'reduce':
        return `${e.monoid}${e.type}(${e.vars.map(loopVar).join()};${expr(e.body)})`;
      case 'argmax':
        return `argmax(${e.vars.map(loopVar).join()};${expr(e.body)})`;
      case 'checkIndex':
        return `checkIndex(${expr(e.x)},${e.size},${e.site})`;
      case 'checkFinite':
        return `checkFinite(${expr(e.x)},${e.site})`;
      case 'reg':
        return register(e.reg);
      case 'horizontal':
        return `horizontal${e.monoid}${e.type}(${expr(e.x)})`;
      default:
        return e satisfies never;
    }
  };
  const space = def.space.map(loopVar).join();
  const params = def.params.map((p) => `${p.storage}${p.access}${p.elements}`).join();
  const stores = def.stores.map((st) => `${st.param}[${index(st.index)}]=${expr(st.value)}`).join(';');
  return `${params}|${def.flags}|${space}|${stores}`;
}
