// The graph level: types, nodes, building, text form, verifier, interpreter and queries.

export * from './build.ts';
export * from './describe.ts';
export * from './dot.ts';
export * from './equal.ts';
export * from './errors.ts';
export * from './graph.ts';
export * from './interpret.ts';
export * from './ir.ts';
export * from './leaf-name.ts';
export * from './location.ts';
export * from './nearest.ts';
export * from './order.ts';
export * from './parse.ts';
export { makePayload } from './payload.ts';
export { type PrintOptions, printGraph } from './print.ts';
export * from './queries.ts';
export * from './scope.ts';
export type * from './shape-types.ts';
export type { ParseOptions } from './text.ts';
export * from './types.ts';
export * from './verify.ts';
