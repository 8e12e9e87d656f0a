// The viewer: one HTML file that shows what the compiler made of entries.

import type { Inspection } from '../../compiler/dump/inspection.ts';
import type { Profile } from '../profile/profile.ts';
import { readClient } from './client.ts';
import { viewProfile } from './data.ts';
import { viewHtml } from './html.ts';

/** An entry to be shown. */
export interface Viewed {
  /** `train(batch=32)` */
  readonly title: string;
  readonly inspection: Inspection;
  readonly profile?: Profile | null | undefined;
  /** Why values were fused or not. */
  readonly fusion?: string | null | undefined;
}

/** The page for some entries. Throws HDL1099 where the viewer's client was not built. */
export async function viewPage(title: string, entries: readonly Viewed[]): Promise<string> {
  const data = entries.map(({ title, inspection, profile, fusion = null }) => ({
    title,
    inspection,
    profile: profile ? viewProfile(profile) : null,
    fusion,
  }));
  return viewHtml({ title, entries: data }, await readClient());
}
