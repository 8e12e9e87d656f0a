// What the loader's worker is sent, and what it answers.

import type { Pictures } from '../augment/apply.ts';
import type { Transform } from '../augment/transform.ts';

export type ToLoader =
  | {
      readonly type: 'augment';
      readonly id: number;
      readonly transforms: readonly Transform[];
      readonly seed: number;
      readonly pictures: Pictures;
    }
  | { readonly type: 'stop' };

export type FromLoader =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly id: number; readonly data: Float32Array }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly message: string;
      /** Of a HeddleError. */
      readonly code: string | null;
      readonly parts: unknown;
    };
