// Messages between the pool and its workers. They are for everything but running: a run is a command in the worker's
// mailbox (control.ts), and only its end is told by a message.
//
//     pool    start ──────▶ ready     once, when the worker's script has loaded
//             load ───────▶ loaded    or refused, when the code does not bind; the worker stays usable
//             unload ─────▶           forget programs
//             time ───────▶ loaded    note the times of a program's runs from now on, or no more
//             sleep ──────▶           leave the event loop, wait for commands
//             (command run) ▶ done    by the worker that finishes last; also when the run was cancelled
//                             failed  by a worker whose kernel threw: it has aborted the run
//                             left    by each worker that leaves a run aborted by a failure, or was told to quit
//             (command receive)       back to the event loop
//             (command quit)          back to the event loop, for good
//             stop ───────▶           end the thread
//
// After `failed` or `left` a worker runs nothing any more: the pool is replaced.

import type { KernelCode } from './kernels.ts';
import type { TimeTable } from './timing.ts';
import type { WalkOffers } from './walk.ts';

/** What a worker needs to run a program: the code, its list of items, and where they run. */
export interface WorkerProgram {
  /** Unique in the process. */
  readonly plan: number;
  readonly code: KernelCode;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly items: Int32Array;
  readonly offers: WalkOffers;
  readonly participants: number;
  /** How long to spin at a barrier before sleeping. */
  readonly spinMs: number;
}

export type ToWorker =
  | {
      readonly type: 'start';
      readonly index: number;
      readonly mailbox: Int32Array<SharedArrayBuffer>;
      /** How long to spin for a command before sleeping. */
      readonly spinMs: number;
    }
  | ({ readonly type: 'load' } & WorkerProgram)
  | { readonly type: 'unload'; readonly plans: readonly number[] }
  | { readonly type: 'time'; readonly plan: number; readonly times: TimeTable | null }
  | { readonly type: 'sleep'; readonly sequence: number }
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'loaded' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly message: string; readonly stack: string }
  | { readonly type: 'left' };
