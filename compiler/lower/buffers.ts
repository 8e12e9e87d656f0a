// The buffers of a program while it is lowered, those of the bodies of its loops among them, and the sites that its checks
// report to. Ids count from 0 in the order in which buffers are asked for.

import { formatLocation } from '../../runtime/errors.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { elementCount, formatType, type TensorType } from '../graph/types.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Buffer, BufferId, Home, Lowered } from '../schedule/lowered.ts';
import { valueName } from './label.ts';
import { type Order, rowMajor } from './layout.ts';
import type { Probe } from './probe.ts';

/** Addresses are computed in 32 bits. */
const mostElements = 2 ** 31 - 1;

/** A part of another buffer. */
export type View = Omit<Extract<Home, { kind: 'view' }>, 'kind' | 'of'>;

export class Buffers {
  readonly list: Buffer[] = [];
  readonly sites: Lowered['sites'][number][] = [];
  #flags: BufferId | null = null;

  of(id: BufferId): Buffer {
    return this.list[id]!;
  }

  /** A buffer that holds a value. Throws HDL0017 for what cannot be addressed. */
  add(name: string, node: Node, order: Order, home: Home): BufferId {
    return this.#push(name, node.type, order, home, node);
  }

  /** A row-major buffer that no value of the graph is alone in. */
  addTemporary(name: string, type: TensorType): BufferId {
    const order = rowMajor(type.shape.length);
    return this.#push(name, type, order, { kind: 'arena', role: 'temporary' }, null);
  }

  addView(name: string, type: TensorType, of: BufferId, view: View): BufferId {
    return this.#push(name, type, rowMajor(type.shape.length), { kind: 'view', of, ...view }, null);
  }

  /** A word for each site, and one for all; to be asked for when all sites are known. */
  flags(): BufferId {
    const type: TensorType = { dtype: 'i32', shape: [this.sites.length + 1] };
    this.#flags ??= this.#push('flags', type, [0], { kind: 'flags' }, null);
    return this.#flags;
  }

  /** Sites for the checks of a node; gives the first, or null when there are none. */
  addSites(n: Node, checks: Probe['checks']): number | null {
    if (checks.length === 0) return null;
    const first = this.sites.length;
    const { label } = n.attrs;
    for (const check of checks) {
      this.sites.push({
        kind: check.kind === 'checkIndex' ? 'index' : 'finite',
        label: typeof label === 'string' && label ? label : valueName(n.operands[0] ?? n),
        loc: n.loc ? formatLocation(n.loc) : null,
        size: check.kind === 'checkIndex' ? check.size : 0,
      });
    }
    return first;
  }

  #push(name: string, type: TensorType, order: Order, home: Home, node: Node | null): BufferId {
    const id = this.list.length as BufferId;
    const elements = elementCount(type.shape);
    if (elements > mostElements) {
      throw compilerError('HDL0017', {
        what: `a buffer for '${name}' (${formatType(type)})`,
        rule: `buffers have at most ${mostElements} elements`,
        hint: 'reduce the batch, or the value before it is needed twice',
        loc: node?.loc ?? null,
      });
    }
    this.list.push({ id, name, type, order, bytes: elements * elementBytes(type.dtype), home, node });
    return id;
  }
}
