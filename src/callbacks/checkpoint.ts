// Checkpoints while training: all that is needed to go on as if nothing had happened, on the disk, whole at any moment. Ctrl-C saves
// one, too.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { isNode } from '../../runtime/node.ts';
import { expectFiles } from '../files.ts';
import { defaultSink, type Sink } from '../sink.ts';
import { type StoreTarget, store } from '../state/store.ts';
import type { Callback, Pause, TrainingRun } from './callback.ts';
import { pathOf, removeOlder } from './checkpoint-files.ts';

export interface CheckpointOptions {
  /**
   * The file; `{epoch}` and `{step}` in its name stand for numbers, then each checkpoint is a file of its own. Or what takes the bytes.
   */
  readonly path: StoreTarget;
  /** After every so many steps. */
  readonly everySteps?: number | undefined;
  /** After every so many epochs; default 1, where `everySteps` is not given. */
  readonly everyEpochs?: number | undefined;
  /** How many files to keep, the newest ones; default all. For a path with `{epoch}` or `{step}`. */
  readonly keep?: number | undefined;
  /**
   * What Ctrl-C (SIGINT) does while training: `exit` (default) saves a checkpoint after the step in flight and ends the process with
   * status 130; `return` saves it, and `fit` returns what it has; `ignore` leaves it alone. A second Ctrl-C ends the process at once.
   */
  readonly onInterrupt?: 'exit' | 'return' | 'ignore' | undefined;
  /** Told where the state was saved after Ctrl-C; default: standard error. */
  readonly sink?: Sink | undefined;
}

/** 128 + 2, the number of SIGINT: what shells expect. */
const interruptedStatus = 130;

/**
 * Saves checkpoints, from which `fit({ resume: path })` goes on: after steps, epochs, at the end, and on Ctrl-C. A file is replaced
 * at once, so that one that is whole is always there. Throws HDL0003 (options), HDL0017 (a file, where there are none).
 *
 * @formula save variables, optimizer, counters, position, history
 * @source —
 * @example callbacks.checkpoint({ path: 'run-{step}.safetensors', everySteps: 500, keep: 3 })
 */
export function checkpoint(options: CheckpointOptions): Callback {
  const { path, everySteps, keep, onInterrupt = 'exit', sink = defaultSink() } = options;
  const { everyEpochs = everySteps === undefined ? 1 : undefined } = options;
  checkOptions(options);
  if (typeof path === 'string') {
    expectFiles(`checkpoint to '${path}'`, 'give a function that takes the bytes, in place of the path');
  }
  let saved = '';
  let interrupted = false;
  let unlisten: () => void = () => {};

  const save = async (at: Pause, run: TrainingRun): Promise<void> => {
    // The last epoch and the end are one moment.
    const moment = `${at.epoch}.${at.step}.${at.reason === 'steps'}`;
    if (at.reason === 'end' && saved === `${at.epoch}.${at.step}.false` && !interrupted) return;
    const bytes = run.checkpoint();
    if (typeof path === 'function') await path(bytes);
    else {
      await store('checkpoint', pathOf(path, at), bytes);
      if (keep !== undefined) await removeOlder(path, keep);
    }
    saved = moment;
  };
  return {
    everySteps,
    onTrainBegin: (run) => {
      if (onInterrupt === 'ignore' || !isNode()) return;
      const listener = (): void => {
        // From now on the signal does what it does by default.
        unlisten();
        interrupted = true;
        run.stop(
          onInterrupt === 'exit'
            ? () => {
                process.exit(interruptedStatus);
              }
            : undefined,
        );
      };
      unlisten = () => {
        process.off('SIGINT', listener);
      };
      process.on('SIGINT', listener);
    },
    onPause: async (at, run) => {
      const isDue =
        at.reason === 'end' ||
        (at.reason === 'steps' && everySteps !== undefined && at.step % everySteps === 0) ||
        (at.reason === 'epoch' && everyEpochs !== undefined && at.epoch % everyEpochs === 0);
      if (!isDue) return;
      await save(at, run);
      if (!interrupted || at.reason !== 'end') return;
      const where = typeof path === 'string' ? ` to ${pathOf(path, at)}` : '';
      sink.write(
        `\ninterrupted at step ${at.step}: the state is saved${where}; fit({ resume }) goes on from it\n`,
      );
    },
    onClose: () => unlisten(),
  };
}

function checkOptions({
  path,
  everySteps,
  everyEpochs,
  keep,
  onInterrupt = 'exit',
}: CheckpointOptions): void {
  const fail = (what: string, rule: string, hint: string): Error =>
    compilerError('HDL0003', { what: `checkpoint with ${what}`, rule, hint, loc: callerLocation() });
  if (typeof path !== 'function' && (typeof path !== 'string' || path === '')) {
    throw fail(
      `path: ${JSON.stringify(path)}`,
      'path is the name of a file, or a function',
      "path: 'run.safetensors'",
    );
  }
  for (const [name, value] of Object.entries({ everySteps, everyEpochs, keep })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw fail(`${name}: ${String(value)}`, `${name} is an integer of at least 1`, `${name}: 10`);
  }
  if (keep !== undefined && (typeof path !== 'string' || !/\{(step|epoch)\}/.test(path))) {
    throw fail(
      `keep: ${keep} and one file`,
      'only checkpoints in files of their own can be kept',
      "path: 'run-{step}.safetensors'",
    );
  }
  if (!['exit', 'return', 'ignore'].includes(onInterrupt)) {
    throw fail(
      `onInterrupt: ${JSON.stringify(onInterrupt)}`,
      "it is 'exit', 'return' or 'ignore'",
      'leave it out',
    );
  }
}
