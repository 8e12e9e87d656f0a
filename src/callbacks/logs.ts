// Logs of the figures of each epoch, as a table or as lines of JSON.

import type { Callback } from './callback.ts';
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
  const write = textTo('csvLog', to);
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  let columns: readonly string[] | null = null;
  return {
    onEpochEnd: async ({ epoch, figures }) => {
      const isFirst = columns === null;
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
  const write = textTo('jsonlLog', to);
  return {
    onEpochEnd: async ({ epoch, figures }) => {
      await write(`${JSON.stringify({ epoch, ...figures })}\n`);
    },
  };
}

function textTo(fn: string, to: LogTarget): (text: string) => unknown {
  return typeof to === 'string' ? fileWriter(fn, to).append : to;
}
