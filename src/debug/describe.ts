// How a value is called where a person looks for it: in the words of the program that they wrote.

import { describeNode } from '../../compiler/graph/describe.ts';
import type { Node, SourceLocation } from '../../compiler/graph/ir.ts';
import { formatType } from '../../compiler/graph/types.ts';
import { formatLocation } from '../../runtime/errors.ts';
import { isVariable, variableName } from '../variable.ts';

/** Scope of what differentiation adds: `grad/` and the scope of the value whose gradient is computed. */
const gradientScope = 'grad';

export interface UserTerms {
  /** `log f32[4, 8] in block3/dense`, `input 'x' f32[4]`, `variable 'block3/w' f32[8, 8]` */
  readonly what: string;
  /** Part of the backward pass: `scope` is then of the value that it belongs to. */
  readonly isGradient: boolean;
  readonly scope: string;
  readonly op: string;
  readonly loc: SourceLocation | null;
}

export function userTerms(node: Node): UserTerms {
  const isGradient = node.scope === gradientScope || node.scope.startsWith(`${gradientScope}/`);
  const scope = isGradient ? node.scope.slice(gradientScope.length + 1) : node.scope;
  const inWords = (): string => {
    const type = formatType(node.type);
    if (isVariable(node)) return `variable '${variableName(node)}' ${type}`;
    if (node.op.name === 'input') return `input '${String(node.attrs['name'])}' ${type}`;
    if (!isGradient) return describeNode(node);
    const name = node.name === null ? '' : `'${node.name}' `;
    return `${name}${node.op.name} ${type} in the gradient${scope === '' ? '' : ` of ${scope}`}`;
  };
  return { what: inWords(), isGradient, scope, op: node.op.name, loc: node.loc };
}

/** ` at model.ts:3:9`, or nothing. */
export function atPlace(loc: SourceLocation | null): string {
  return loc === null ? '' : ` at ${formatLocation(loc)}`;
}
