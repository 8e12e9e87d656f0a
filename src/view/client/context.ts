// What every panel gets: the model of the entry that is shown, and the store.

import type { EntryModel } from './model.ts';
import type { Selection, State, Store } from './state.ts';

export interface Context {
  readonly model: EntryModel;
  readonly store: Store;
}

/** A panel, made when it is first shown. */
export interface Panel {
  readonly element: HTMLElement;
  /** Called when it comes into sight, and while it is in sight when the state changes. */
  readonly show: (state: State) => void;
}

/** The steps that belong to a selection. */
export function stepsOf(
  { inspection, compiled }: EntryModel,
  selection: Selection | null,
): readonly number[] {
  if (selection === null) return [];
  const { kind, id } = selection;
  switch (kind) {
    case 'step':
      return inspection.steps[id] === undefined ? [] : [id];
    case 'kernel':
      return inspection.kernels[id]?.steps ?? [];
    case 'node':
      return compiled.steps[id] ?? [];
    case 'declared':
      return [];
    case 'buffer':
      return inspection.steps.flatMap((s, i) => (s.args.includes(id) ? [i] : []));
    default:
      return kind satisfies never;
  }
}

/** The nodes of the compiled graph that belong to a selection. */
export function nodesOf({ inspection }: EntryModel, selection: Selection | null): readonly number[] {
  if (selection === null) return [];
  const { kind, id } = selection;
  if (kind === 'node') return [id];
  if (kind === 'declared') return [];
  if (kind === 'buffer') return [inspection.buffers[id]?.node ?? []].flat();
  const steps = kind === 'step' ? [id] : (inspection.kernels[id]?.steps ?? []);
  return [...new Set(steps.flatMap((s) => inspection.steps[s]?.nodes ?? []))];
}
