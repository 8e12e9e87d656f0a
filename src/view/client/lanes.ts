// Lanes of the schedule: what each worker does when, predicted and measured, and who is waited for. Nanoseconds.

import type { ViewEntry } from '../data.ts';

export type Group = 'predicted' | 'measured';

export interface Lane {
  readonly title: string;
  readonly group: Group;
  readonly spans: readonly LaneSpan[];
}

export interface LaneSpan {
  /** Of a wait, null. */
  readonly step: number | null;
  readonly from: number;
  readonly to: number;
  /** In its phase everybody waits for this worker. */
  readonly isCritical: boolean;
  /** Barriers passed before. */
  readonly phase: number;
}

/** The lanes of a schedule; measured ones where the profile was taken with as many workers. */
export function lanesOf({ inspection, profile }: ViewEntry, chosen: number): Lane[] {
  const { lanes, workers } = inspection.schedules[chosen]!;
  const predicted = lanes.map(
    (spans, worker): Lane => ({
      title: `worker ${worker}`,
      group: 'predicted',
      spans: spans.map((s) => ({ ...s, from: s.fromNs, to: s.toNs })),
    }),
  );
  const active = lanes.filter((spans) => spans.some((s) => s.step !== null)).length;
  if (profile === null || (profile.workers !== workers && profile.workers !== active)) return predicted;
  return [...predicted, ...measuredLanes(profile)];
}

/** Critical is, in each phase, the worker that arrives last. */
function measuredLanes({ lanes }: NonNullable<ViewEntry['profile']>): Lane[] {
  const phased = lanes.map((spans) => {
    let phase = 0;
    return spans.map((s) => {
      const own = { step: s.step, from: s.from * 1e6, to: s.to * 1e6, phase };
      if (s.step === null) phase++;
      return own;
    });
  });
  const last = new Map<number, { readonly worker: number; readonly to: number }>();
  phased.forEach((spans, worker) => {
    for (const { step, phase, to } of spans)
      if (step !== null && to > (last.get(phase)?.to ?? 0)) last.set(phase, { worker, to });
  });
  return phased.map((spans, worker) => ({
    title: `worker ${worker}`,
    group: 'measured',
    spans: spans.map((s) => ({ ...s, isCritical: s.step !== null && last.get(s.phase)?.worker === worker })),
  }));
}

/** Who is waited for: of the same group, who is last to arrive in the phase; null for the barrier itself. */
export function culpritOf(
  lanes: readonly Lane[],
  lane: Lane,
  span: LaneSpan,
): { readonly lane: Lane; readonly step: number } | null {
  let found: { readonly lane: Lane; readonly step: number; readonly to: number } | null = null;
  for (const other of lanes) {
    if (other.group !== lane.group || other === lane) continue;
    const last = other.spans.findLast((s) => s.phase === span.phase && s.step !== null);
    if (last !== undefined && last.to > span.from && (found === null || last.to > found.to))
      found = { lane: other, step: last.step!, to: last.to };
  }
  return found;
}
