// The progress of training: in a terminal one line that is rewritten, in a log one plain line an epoch (and one every
// half minute within long epochs), without control characters.
//
//   Epoch 2/5  ━━━━━━━━━━──────────  62 %  loss 0.1840  accuracy 0.9431  10420/s  ETA 3 s
//   Epoch 2/5  loss 0.1712  accuracy 0.9467  validation loss 0.1503  10388/s  7.2 s

import { defaultSink, type Sink } from './sink.ts';

/** Numbers by name, in the order in which they are shown. */
export type Figures = Readonly<Record<string, number>>;

export interface Progress {
  /** Starts a part of `total` examples; 0 where that is not known. */
  begin(title: string, total: number): void;
  /** So many examples are done. */
  update(done: number, figures: Figures): void;
  /** Ends the part, with the figures that stay. */
  end(figures: Figures): void;
}

export interface ProgressOptions {
  readonly sink?: Sink;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
  /** Name of what is counted in rates: `img` gives `img/s`. */
  readonly unit?: string;
}

const barColumns = 20;
/** A terminal is redrawn this often at most; a log gets a line within an epoch this often. */
const redrawMs = 80;
const logMs = 30_000;

/**
 * A progress that writes to `sink`, by default to standard error.
 *
 * @example
 * const progress = createProgress();
 * progress.begin('Epoch 1/3', 60_000);
 * progress.update(640, { loss: 2.1 });
 * progress.end({ loss: 0.4 });
 */
export function createProgress(options: ProgressOptions = {}): Progress {
  const { sink = defaultSink(), now = () => performance.now(), unit = '' } = options;
  let title = '';
  let total = 0;
  let begun = 0;
  let shown = 0;
  let done = 0;

  const rate = (): string => {
    const seconds = (now() - begun) / 1000;
    return seconds > 0 && done > 0 ? `${formatRate(done / seconds)}${unit === '' ? '/s' : ` ${unit}/s`}` : '';
  };
  const line = (parts: readonly string[]): string => parts.filter((p) => p !== '').join('  ');

  return {
    begin: (name, count) => {
      title = name;
      total = count;
      done = 0;
      begun = now();
      shown = sink.isTTY ? Number.NEGATIVE_INFINITY : begun;
    },
    update: (count, figures) => {
      done = count;
      const time = now();
      if (time - shown < (sink.isTTY ? redrawMs : logMs)) return;
      shown = time;
      const share = total > 0 ? done / total : 0;
      const percent = total > 0 ? `${Math.floor(100 * share)} %` : String(done);
      const left = done > 0 ? ((time - begun) / 1000) * ((total - done) / done) : 0;
      const eta = total > 0 ? `ETA ${formatSeconds(left)}` : '';
      if (!sink.isTTY) {
        sink.write(`${line([title, percent, formatFigures(figures), rate(), eta])}\n`);
        return;
      }
      const filled = Math.round(barColumns * share);
      const bar = total > 0 ? '━'.repeat(filled) + '─'.repeat(barColumns - filled) : '';
      const text = line([title, bar, percent.padStart(5), formatFigures(figures), rate(), eta]);
      // Cut to the width: a line that wraps cannot be rewritten.
      sink.write(`\r\x1b[K${[...text].slice(0, Math.max(1, sink.columns - 1)).join('')}`);
    },
    end: (figures) => {
      const seconds = (now() - begun) / 1000;
      done = Math.max(done, total);
      const text = line([title, formatFigures(figures), rate(), formatSeconds(seconds)]);
      sink.write(`${sink.isTTY ? '\r\x1b[K' : ''}${text}\n`);
    },
  };
}

/** Progress that shows nothing. */
export const silent: Progress = { begin: () => {}, update: () => {}, end: () => {} };

function formatFigures(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${formatNumber(value)}`)
    .join('  ');
}

/** Four digits that say something: `0.0412`, `12.35`, `4.120e-6`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(3);
  return size >= 10 ? value.toFixed(2) : value.toFixed(4);
}

function formatRate(perSecond: number): string {
  return perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toPrecision(2);
}

/** `0.42 s`, `12 s`, `3 min 20 s`, `2 h 5 min` */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds < 1 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
