// Text of kernels: loop nests that a person can read, and that parse.ts reads back.
//
//   kernel "dense1/dot+relu"
//   schedule "contraction over k:64 for m:32 × n:8, tile 4 × 8, 4 units"
//   cost 32768 flops, 11264 bytes
//   param x: read f32[2048]
//   param y: write f32[256]
//   unit u of 4 {
//     for k of 64 {
//       let x0: f32 x4 = x[64*u + k]
//       set acc x4 = add(acc, mul(x0, w0))
//     }
//     store y[8*u : 1] x4 = max(acc, 0.0)
//   }
//
// Names are made unique by a number (`k.2`). `: 1` in brackets is the distance between lanes, where it is not 0. An
// expression object that a statement uses more than once stands before it as `$1 = …`.

import { type Atom, type Index, type LoopVar, valuesIn } from './affine.ts';
import { type Condition, type Expr, type Register, walkExprs } from './expr.ts';
import type { Kernel, Lanes, Stmt } from './ir.ts';
import { countUses } from './uses.ts';

/** The text of a kernel. Equal kernels (but for the numbering of variables and registers) have equal texts. */
export function printKernel(kernel: Kernel): string {
  return new Printer(kernel).print();
}

/** Whether two kernels are the same code: same text. */
export function sameKernel(a: Kernel, b: Kernel): boolean {
  return printKernel(a) === printKernel(b);
}

/** Words of the text that are no names. */
export const reservedNames: ReadonlySet<string> = new Set(['true', 'false', 'nan', 'inf', 'in', 'by']);

class Printer {
  readonly #kernel: Kernel;
  readonly #out: string[] = [];
  readonly #taken = new Set<string>(reservedNames);
  readonly #params: readonly string[];
  /** Names by kind and id, in order of declaration. */
  readonly #names = new Map<string, string>();
  readonly #orders = new Map<number, number>();
  #shared = new Map<Expr, string>();
  #depth = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const taken = new Set<string>([...reservedNames, 'index']);
    this.#params = kernel.params.map((p) => unique(p.name, taken));
  }

  print(): string {
    const { name, schedule, cost, params, flags, unit, body } = this.#kernel;
    this.#line(`kernel ${JSON.stringify(name)}`);
    this.#line(`schedule ${JSON.stringify(schedule)}`);
    this.#line(`cost ${cost.flops} flops, ${cost.bytes} bytes`);
    params.forEach((p, i) => {
      const id = this.#params[i]!;
      const full = id === p.name ? '' : ` ${JSON.stringify(p.name)}`;
      this.#line(`param ${id}: ${p.access} ${p.storage}[${p.elements}]${full}`);
    });
    if (flags !== null) this.#line(`flags ${this.#params[flags]}`);
    this.#line(`unit ${this.#declareVar(unit)} of ${unit.extent} {`);
    this.#block(body);
    this.#line('}');
    return `${this.#out.join('\n')}\n`;
  }

  #line(text: string): void {
    this.#out.push('  '.repeat(this.#depth) + text);
  }

  #block(stmts: readonly Stmt[]): void {
    this.#depth++;
    for (const s of stmts) this.#statement(s);
    this.#depth--;
  }

  #statement(s: Stmt): void {
    switch (s.kind) {
      case 'for': {
        this.#share([], [s.limit]);
        const whole = s.limit.terms.length === 0 && s.limit.constant === s.v.extent;
        const below = whole ? '' : ` below ${this.#index(s.limit)}`;
        const step = s.step === 1 ? '' : ` step ${s.step}`;
        this.#line(`for ${this.#declareVar(s.v)} of ${s.v.extent}${step}${below} {`);
        this.#block(s.body);
        this.#line('}');
        break;
      }
      case 'if': {
        const indices = s.conditions.map((c) => c.index);
        this.#share([], indices);
        this.#line(`if (${this.#conditions(s.conditions)}) {`);
        this.#block(s.body);
        if (s.otherwise.length > 0) {
          this.#line('} else {');
          this.#block(s.otherwise);
        }
        this.#line('}');
        break;
      }
      case 'let':
      case 'set': {
        this.#share([s.value], []);
        const value = this.#expr(s.value);
        const name =
          s.kind === 'let' ? `${this.#declareRegister(s.reg)}: ${s.reg.type}` : this.#register(s.reg);
        this.#line(`${s.kind} ${name}${lanesText(s.lanes)} = ${value}`);
        break;
      }
      case 'store': {
        this.#share([s.value], [s.index]);
        const place = `${this.#params[s.param]}${this.#place(s.index, s.laneStride)}`;
        this.#line(`store ${place}${lanesText(s.lanes)} = ${this.#expr(s.value)}`);
        break;
      }
      default:
        s satisfies never;
    }
  }

  /** Prints what the statement uses more than once, innermost first. */
  #share(roots: readonly Expr[], indices: readonly Index[]): void {
    this.#shared = new Map();
    const uses = countUses(roots, indices);
    const isShared = (e: Expr): boolean => uses.get(e)! > 1 && e.kind !== 'const' && e.kind !== 'reg';
    // Children come before parents, and the order depends on the structure alone.
    const inner = walkExprs([...roots, ...indices.flatMap(valuesIn)]);
    for (const e of inner.filter(isShared)) {
      const text = this.#expr(e);
      const name = `$${this.#shared.size + 1}`;
      this.#line(`${name} = ${text}`);
      this.#shared.set(e, name);
    }
  }

  #expr(e: Expr): string {
    const name = this.#shared.get(e);
    if (name !== undefined) return name;
    switch (e.kind) {
      case 'const':
        return constantText(e.type, e.value);
      case 'load':
        return `${this.#params[e.param]}${this.#place(e.index, e.laneStride)}`;
      case 'index':
        return `index${this.#place(e.index, e.laneStride)}`;
      case 'unary':
        return `${e.fn}(${this.#expr(e.x)})`;
      case 'binary':
      case 'compare':
        return `${e.fn}(${this.#expr(e.x)}, ${this.#expr(e.y)})`;
      case 'select':
        return `select(${this.#expr(e.cond)}, ${this.#expr(e.x)}, ${this.#expr(e.y)})`;
      case 'convert':
        return `to_${e.type}(${this.#expr(e.x)})`;
      case 'bitcast':
        return `bits_${e.type}(${this.#expr(e.x)})`;
      case 'guard':
        return `guard(${this.#conditions(e.conditions)} ? ${this.#expr(e.value)} : ${this.#expr(e.otherwise)})`;
      case 'checkIndex':
        return `checkIndex(${this.#expr(e.x)}, ${e.size}, ${e.site})`;
      case 'checkFinite':
        return `checkFinite(${this.#expr(e.x)}, ${e.site})`;
      case 'reg':
        return this.#register(e.reg);
      case 'horizontal':
        return `horizontal_${e.monoid}(${this.#expr(e.x)})`;
      case 'reduce':
      case 'argmax': {
        const vars = e.vars.map((v) => `${this.#declareVar(v)} of ${v.extent}`).join(', ');
        return `${e.kind === 'reduce' ? `reduce_${e.monoid}` : 'argmax'}(${vars} : ${this.#expr(e.body)})`;
      }
      default:
        return e satisfies never;
    }
  }

  #place(index: Index, laneStride: number): string {
    return `[${this.#index(index)}${laneStride === 0 ? '' : ` : ${laneStride}`}]`;
  }

  #conditions(conditions: readonly Condition[]): string {
    return conditions
      .map((c) =>
        c.kind === 'inRange'
          ? `${this.#index(c.index)} in ${c.lo}..${c.hi}`
          : `${this.#index(c.index)} by ${c.by}`,
      )
      .join(' & ');
  }

  #index(index: Index): string {
    // Variables in order of declaration, so that the text does not depend on how they are numbered.
    const terms = index.terms
      .map((t) => ({
        coeff: t.coeff,
        order: t.atom.kind === 'var' ? (this.#orders.get(t.atom.id) ?? -1) : 1e9,
        text: this.#atom(t.atom),
      }))
      .sort((a, b) => a.order - b.order || (a.text < b.text ? -1 : 1));
    let out = '';
    const push = (negative: boolean, part: string): void => {
      if (out === '') out = negative ? `-${part}` : part;
      else out += ` ${negative ? '-' : '+'} ${part}`;
    };
    for (const { coeff, text } of terms) {
      const size = Math.abs(coeff);
      push(coeff < 0, size === 1 ? text : `${size}*${text.startsWith('(') ? `(${text})` : text}`);
    }
    if (index.constant !== 0 || out === '') push(index.constant < 0, String(Math.abs(index.constant)));
    return out;
  }

  #atom(atom: Atom): string {
    switch (atom.kind) {
      case 'var':
        return this.#names.get(`v${atom.id}`) ?? `?${atom.name}`;
      case 'div':
        return `(${this.#index(atom.x)})/${atom.by}`;
      case 'mod':
        return `(${this.#index(atom.x)})%${atom.by}`;
      case 'value':
        return `at(${this.#expr(atom.expr)}, ${atom.extent})`;
      default:
        return atom satisfies never;
    }
  }

  #declareVar(v: LoopVar): string {
    const name = unique(v.name, this.#taken);
    this.#names.set(`v${v.id}`, name);
    this.#orders.set(v.id, this.#orders.size);
    return name;
  }

  #declareRegister(r: Register): string {
    const name = unique(r.name, this.#taken);
    this.#names.set(`r${r.id}`, name);
    return name;
  }

  #register(r: Register): string {
    return this.#names.get(`r${r.id}`) ?? `?${r.name}`;
  }
}

function unique(name: string, taken: Set<string>): string {
  const base = name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=[0-9])/, '_') || '_';
  let id = base;
  for (let n = 2; taken.has(id); n++) id = `${base}.${n}`;
  taken.add(id);
  return id;
}

function lanesText(lanes: Lanes): string {
  return lanes === 1 ? '' : ` x${lanes}`;
}

/** `1.5`, `3i`, `7u`, `true`; f32 always has a point, an exponent or a name. */
function constantText(type: Expr['type'], value: number): string {
  if (type === 'bool') return value !== 0 ? 'true' : 'false';
  if (type !== 'f32') return `${value}${type === 'i32' ? 'i' : 'u'}`;
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
