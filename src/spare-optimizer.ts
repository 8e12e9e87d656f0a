// A compilation runs once and for a fraction of a second. V8 optimises functions that have run for a while in threads of
// its own, and most of what it makes of the compiler is ready when the compilation is over: with ResNet-8 it spends as much
// processor time on that as the compilation takes, on cores that should optimise kernels and start workers. Meanwhile,
// functions must therefore run longer before they are optimised.
//
// Measured with Node 20 on 2 cores, cold, in processor time of all threads: compiling ResNet-8 takes 0.54 of what it took,
// ResNet-20 0.54; the compiling thread itself 0.96 and 0.9. Compiling again and again is as fast as before. That was with four
// times the engine's budget; with sixteen times, since compilations have become shorter, the first step of ResNet-8 is done
// after 0.81 of that processor time and that of ResNet-20 after 0.85, on a busy machine; the compiling thread takes no more.

import { type EngineFlag, isUntouched, nodeEngine, underFlags } from '../runtime/engine-flags.ts';

/** Bytecodes, by their size, that a function runs before V8 looks whether to optimise it. */
const budget: EngineFlag = { name: 'interrupt-budget', to: 16 * 67_584, from: 67_584 };

/** The version of V8 whose own budget that is: all of Node 20. Later ones have a cheaper optimiser before the costly one. */
const knownVersion = '11.3';

/** Runs a synchronous stretch of work in which V8 optimises only what runs for long. Who sets such flags is left alone. */
export function sparingOptimizer<T extends object>(work: () => T): T {
  const isKnown = nodeEngine()?.join('.') === knownVersion;
  const flags = isKnown && isUntouched('interrupt') && isUntouched('maglev') ? [budget] : [];
  return (flags.length > 0 ? underFlags(flags, work) : null) ?? work();
}
