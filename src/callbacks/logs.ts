// Logs of the figures of each epoch, as a table or as lines of JSON.

import type { Callback, CallbackState } from './callback.ts';
import { fileWriter } from './file.ts';

/** A file, or what takes the text. */
export type LogTarget = string | ((text: string) => unknown);

/**
 * A table with a row for each epoch: `epoch`, then the figures, comma-separated. The first row names them. Throws HDL0017 (a file,
 * where there are none).
 *
 * @formula epoch,loss,… by line
 * @source RFC 4180
 * @example callbacks.csvLog('log.csv')
 */
export function csvLog(to: LogTarget): Callback {
  const { write, ...saved } = textTo('csvLog', to);
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  let columns: readonly string[] | null = null;
  return {
    ...saved,
    onEpochEnd: async ({ epoch, figures }) => {
      // A training that is resumed has written its first row before.
      const isFirst = columns === null && saved.state().length === 0;
      columns ??= Object.keys(figures);
      if (isFirst) await write(`${['epoch', ...columns].map(quoted).join(',')}\n`);
      await write(`${[epoch, ...columns.map((name) => figures[name] ?? '')].join(',')}\n`);
    },
  };
}

/**
 * A line of JSON for each epoch: `{"epoch":1,"loss":0.5}`. What is not finite is null. Throws HDL0017 (a file, where there are none).
 *
 * @formula {"epoch":…,"loss":…} by line
 * @source RFC 8259
 * @example callbacks.jsonlLog((line) => socket.send(line))
 */
export function jsonlLog(to: LogTarget): Callback {
  const { write, ...saved } = textTo('jsonlLog', to);
  return {
    ...saved,
    onEpochEnd: async ({ epoch, figures }) => {
      await write(`${JSON.stringify({ epoch, ...figures })}\n`);
    },
  };
}

interface TextTarget {
  readonly write: (text: string) => unknown;
  /** How much has been written; a file that is continued loses what was written after the checkpoint. */
  readonly state: () => { readonly length: number };
  readonly resume: (state: CallbackState) => unknown;
}

function textTo(fn: string, to: LogTarget): TextTarget {
  if (typeof to === 'string') {
    const { append, length, continueAt } = fileWriter(fn, to);
    return {
      write: append,
      state: () => ({ length: length() }),
      resume: (state) => continueAt(Number(state['length'])),
    };
  }
  let length = 0;
  return {
    write: (text) => {
      length += text.length;
      return to(text);
    },
    state: () => ({ length }),
    resume: (state) => {
      length = Number(state['length']);
    },
  };
}
