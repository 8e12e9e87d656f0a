// A run in the trace event format that chrome://tracing and ui.perfetto.dev read: one row per worker, one for the
// caller, a complete event ('X') per kernel call, wait and copy; times in microseconds.

import type { PlanManifest } from '../../runtime/plan.ts';
import type { Span, Timeline } from './timeline.ts';

export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  /** `X`: an event with a duration; `M`: the name of a row. */
  readonly ph: 'X' | 'M';
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, string | number>>;
}

export interface Trace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly TraceEvent[];
}

const caller = 0;

/** The events of a run. */
export function traceOf(timeline: Timeline, manifest: PlanManifest): Trace {
  const rows = ['caller', ...timeline.workers.map((_, w) => `worker ${w}`)];
  const events: TraceEvent[] = rows.map((name, tid) => ({ ...row, tid, args: { name } }));
  const host = (name: string, from: number, to: number): TraceEvent =>
    complete(name, 'host', caller, from, to, {});
  const { preparedAt, returnedAt, wallMs, workers } = timeline;
  events.push(
    host('copy inputs in', 0, preparedAt),
    host(`run ${manifest.entry}`, preparedAt, returnedAt),
    host('copy outputs out', returnedAt, wallMs),
    ...workers.flatMap(({ spans }, w) => spans.map((span) => eventOf(span, w + 1, manifest))),
  );
  return { displayTimeUnit: 'ms', traceEvents: events };
}

const row: TraceEvent = { name: 'thread_name', cat: '', ph: 'M', ts: 0, dur: 0, pid: 0, tid: 0, args: {} };

function eventOf(span: Span, tid: number, manifest: PlanManifest): TraceEvent {
  const { kind, index, units, from, to } = span;
  if (kind === 'wait') return complete(`barrier ${index}`, 'wait', tid, from, to, {});
  const { label, kernel, units: all } = manifest.steps[index]!;
  const { name, work } = manifest.kernels[kernel]!;
  return complete(label, 'kernel', tid, from, to, {
    step: index,
    kernel: name,
    units: `[${units[0]}, ${units[1]}) of ${all}`,
    ...work,
  });
}

function complete(
  name: string,
  cat: string,
  tid: number,
  fromMs: number,
  toMs: number,
  args: TraceEvent['args'],
): TraceEvent {
  return { name, cat, ph: 'X', ts: fromMs * 1000, dur: (toMs - fromMs) * 1000, pid: 0, tid, args };
}
