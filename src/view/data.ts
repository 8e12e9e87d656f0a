// What the viewer's page holds: inspections of entries and, where there are some, their profiles. Plain data.

import type { Inspection } from '../../compiler/dump/inspection.ts';
import type { Profile } from '../profile/profile.ts';

export interface ViewData {
  readonly title: string;
  /** One for each entry that is shown; one at least. */
  readonly entries: readonly ViewEntry[];
}

export interface ViewEntry {
  /** `train(batch=32)` */
  readonly title: string;
  readonly inspection: Inspection;
  readonly profile: ViewProfile | null;
  /** Text of why values were fused or not, where the compiler says so. */
  readonly fusion: string | null;
}

/** A profile without functions, with the spans of one typical run. Times in milliseconds. */
export interface ViewProfile extends Omit<Profile, 'trace'> {
  /** By worker, from the beginning of the walk. */
  readonly lanes: readonly (readonly ViewSpan[])[];
}

export interface ViewSpan {
  /** Of a wait, null. */
  readonly step: number | null;
  readonly from: number;
  readonly to: number;
}

/** The data of a profile. */
export function viewProfile({ trace, ...profile }: Profile): ViewProfile {
  const spans = trace().traceEvents.filter((e) => e.ph === 'X' && e.cat !== 'host');
  const start = Math.min(...spans.map((e) => e.ts));
  const workers = [...new Set(spans.map((e) => e.tid))].sort((a, b) => a - b);
  return {
    ...profile,
    lanes: workers.map((tid) =>
      spans
        .filter((e) => e.tid === tid)
        .map((e) => ({
          step: e.cat === 'kernel' ? Number(e.args['step']) : null,
          from: (e.ts - start) / 1000,
          to: (e.ts + e.dur - start) / 1000,
        })),
    ),
  };
}
