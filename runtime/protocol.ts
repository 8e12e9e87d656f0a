// Messages between the pool and its workers. They are for everything but running: a run is a command (control.ts), and
// only its end is told by a message.
//
//     pool    start ──────▶ ready     once, when the worker's script has loaded
//             load ───────▶ loaded    or refused, when the code does not bind; the worker stays usable
//             time ───────▶ loaded    note the times of a plan's runs from now on, or no more
//             sleep ──────▶           leave the event loop, wait for commands
//             (command run) ▶ done    by the worker that finishes last
//                             failed  by a worker whose kernel threw: it has aborted the run
//                             left    by each worker that leaves an aborted run
//             (command receive)       back to the event loop
//             stop ───────▶           end the thread
//
// After `failed` or `left` a worker runs nothing any more: the pool replaces it.

import type { KernelCode } from './kernels.ts';
import type { TimeTable } from './timing.ts';

export type ToWorker =
  | {
      readonly type: 'start';
      readonly index: number;
      readonly memory: WebAssembly.Memory;
      readonly control: Int32Array<SharedArrayBuffer>;
      readonly workers: number;
      readonly spinMs: number;
    }
  | {
      readonly type: 'load';
      readonly plan: number;
      readonly code: KernelCode;
      readonly items: Int32Array<ArrayBuffer>;
      readonly participants: number;
      /** Bytes that memory has grown to by now. */
      readonly memoryBytes: number;
      /** Plans that are not needed any more. */
      readonly unload: readonly number[];
    }
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
