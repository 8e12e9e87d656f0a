// What is shown: the entry, the panel, what is selected. Kept in the address of the page (`#memory/step/12`), so that the
// back button works and a picture can be linked to.

/** `node` is one of the compiled graph, `declared` one of the graph as it was declared. */
export type Kind = 'node' | 'declared' | 'step' | 'kernel' | 'buffer';

export interface Selection {
  readonly kind: Kind;
  readonly id: number;
}

export const panels = ['graph', 'memory', 'schedule', 'roofline', 'kernels', 'passes'] as const;
export type PanelName = (typeof panels)[number];

export interface State {
  readonly entry: number;
  readonly panel: PanelName;
  readonly selection: Selection | null;
  /** Name of the pass whose changes are shown. */
  readonly pass: string | null;
}

type Listener = (state: State, before: State) => void;

export class Store {
  #state: State;
  readonly #listeners: Listener[] = [];

  constructor() {
    this.#state = read(location.hash);
    addEventListener('hashchange', () => this.#apply(read(location.hash)));
  }

  get state(): State {
    return this.#state;
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  set(change: Partial<State>): void {
    const next = { ...this.#state, ...change };
    const hash = write(next);
    if (hash === write(this.#state)) return;
    history.pushState(null, '', hash);
    this.#apply(next);
  }

  select(kind: Kind, id: number, panel?: PanelName): void {
    this.set({ selection: { kind, id }, ...(panel && { panel }) });
  }

  #apply(next: State): void {
    const before = this.#state;
    this.#state = next;
    for (const listener of this.#listeners) listener(next, before);
  }
}

/** `#graph`, `#graph/node/12`, `#passes//legalize`; with `@1` after the panel for the second entry. */
function read(hash: string): State {
  const [place = '', kind = '', id = ''] = decodeURIComponent(hash.replace(/^#/, '')).split('/');
  const [name, entry] = place.split('@');
  const panel = panels.find((p) => p === name) ?? 'graph';
  const kinds: readonly string[] = ['node', 'declared', 'step', 'kernel', 'buffer'];
  const number = Number.parseInt(id, 10);
  const isSelection = kinds.includes(kind) && number >= 0;
  return {
    entry: Number.parseInt(entry ?? '', 10) || 0,
    panel,
    selection: isSelection ? { kind: kind as Kind, id: number } : null,
    pass: panel === 'passes' && kind === '' && id !== '' ? id : null,
  };
}

function write({ entry, panel, selection, pass }: State): string {
  const place = entry === 0 ? panel : `${panel}@${entry}`;
  if (panel === 'passes' && pass !== null) return `#${place}//${encodeURIComponent(pass)}`;
  return selection === null ? `#${place}` : `#${place}/${selection.kind}/${selection.id}`;
}
