// A context whose assignments go through someone else's hands: how optimizers are wrapped in others.

import type { Node } from '../../compiler/graph/ir.ts';
import type { Context } from '../context.ts';

/** `ctx`, with `assign` in place of its own, in all scopes below it, and absolute scopes renamed by `rename`. */
export function intercept(
  ctx: Context,
  assign: (target: Node, value: Node) => void,
  rename: (scope: string) => string = (scope) => scope,
): Context {
  return {
    ...ctx,
    assign,
    scope: (name) => intercept(ctx.scope(name.startsWith('/') ? rename(name) : name), assign, rename),
    enter: (owner, kind, name, build, traits) =>
      ctx.enter(owner, kind, name, (inner) => build(intercept(inner, assign, rename)), traits),
  };
}
