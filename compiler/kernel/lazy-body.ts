// Kernels whose body is written when somebody looks at it. How a kernel is cut into units is known long before its loops are
// written, and fusion may want it cut otherwise (lower/chain.ts): then nobody ever asks for the body.

import type { Kernel, Stmt } from './ir.ts';

/** The kernel with its body, which is made once. */
export function lazyKernel(rest: Omit<Kernel, 'body'>, write: () => readonly Stmt[]): Kernel {
  let body: readonly Stmt[] | null = null;
  return {
    ...rest,
    get body() {
      body ??= write();
      return body;
    },
  };
}
