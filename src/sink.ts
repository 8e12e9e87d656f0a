// Where progress is written: a terminal, a log, or anything that takes text. Found at run time, since browsers have no
// streams and their console knows lines only.

export interface Sink {
  write(text: string): void;
  /** A terminal that a line can be rewritten on. */
  readonly isTTY: boolean;
  /** Columns of the terminal. */
  readonly columns: number;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Standard error where there is one, else the console, line by line. */
export function defaultSink(): Sink {
  const host = globalThis as { readonly process?: { readonly stderr?: Stream } };
  const stream = host.process?.stderr;
  if (typeof stream?.write === 'function') {
    return {
      write: (text) => void stream.write(text),
      isTTY: stream.isTTY === true,
      columns: stream.columns ?? 80,
    };
  }
  return { write: (text) => console.log(text.replace(/\n$/, '')), isTTY: false, columns: 80 };
}
